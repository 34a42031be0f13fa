# SPDX-License-Identifier: GPL-2.0-only
#
# kpool at work: what make demo shows, on Debian's own kernel.

. /lib/kpool/lib.sh

debug=/sys/kernel/debug
hold=$debug/kpool_teardown/hold
threads=256
loops=20

pools()
{
	echo
	echo "--- $debug/kpool/pools, $1"
	head -n 12 $debug/kpool/pools
	lines=$(wc -l <$debug/kpool/pools)
	[ "$lines" -le 12 ] || echo "    ... and $((lines - 12)) lines more"
	echo "---"
}

sum()
{
	sha256sum "$@" | cut -d ' ' -f 1
}

# same WHAT A B: they are, or the step has failed
same()
{
	[ "$2" = "$3" ] || { echo "$1: $2, not $3"; return 1; }
}

# fails WHY COMMAND...: the command does, and says why
fails()
{
	why=$1
	shift
	if "$@" 2>/tmp/why; then
		echo "$*: did not fail"
		return 1
	fi
	grep -q "$why" /tmp/why || { cat /tmp/why; return 1; }
}

# channel N: the state of partition N's end
channel()
{
	awk -v n="$1" '$1 == n { print $3 }' $debug/kxpc/state
}

# becomes WANTED COMMAND...: what the command prints, before long
becomes()
{
	wanted=$1
	shift
	for _ in $(seq 100); do
		[ "$("$@")" = "$wanted" ] && return
		usleep 100000
	done
	echo "$*: $("$@"), not $wanted"
	return 1
}

# Two ordinary programs, one at each end.  Nothing in the records says where
# the file ends: the sender closes, and the receiver reads what is on its way
# and then gets 0, as from a pipe.
transfer()
{
	size=$(wc -c </demo/file)
	[ "$size" -gt 0 ] || { echo "an empty file has no records"; return; }
	dd if=/dev/kxpc1 bs=4096 2>/dev/null | sum >/tmp/received &
	receiver=$!
	begin=$(cut -d ' ' -f 1 /proc/uptime)
	dd if=/demo/file of=/dev/kxpc0 bs=4096 2>/dev/null || return 1
	wait $receiver || return 1
	end=$(cut -d ' ' -f 1 /proc/uptime)
	sum /demo/file >/tmp/sent
	echo "sent      $(cat /tmp/sent)  ($size bytes)"
	echo "received  $(cat /tmp/received)"
	echo "$size $begin $end" | awk '{
		printf "%.1f MB/s in records of 4096 bytes, checksum and all\n",
		       $1 / ($3 - $2 + 0.005) / 1e6 }'
	same "the sums" "$(cat /tmp/received)" "$(cat /tmp/sent)" || return 1
	becomes closed channel 0 && becomes closed channel 1
}

# A receiver that does not read: the sender fills its window and sleeps, and
# the delivery work blocks in a thread of the pool for as long as it takes.
back_pressure()
{
	sleep 1000 3</dev/kxpc1 &
	reader=$!
	dd if=/demo/file of=/dev/kxpc0 bs=4096 2>/dev/null &
	writer=$!
	becomes 64 awk '$1 == 0 { print $7 }' $debug/kxpc/state || return 1
	cat $debug/kxpc/state
	pools "while a delivery is blocked"
	grep -q 'deliver' $debug/kpool/pools || { echo "no delivery"; return 1; }
	kill $reader
	# The peer is gone: the write fails, and both ends are closed again.
	wait $writer && { echo "the write went well"; return 1; }
	becomes closed channel 0 && becomes closed channel 1
}

# One opener, and one record in each call: not too long for the channel, and
# not for the buffer either, but then it stays.
errors()
{
	exec 3<>/dev/kxpc0 4<>/dev/kxpc1
	becomes connected channel 0 || return 1
	fails "busy" dd if=/dev/kxpc0 count=1 || return 1
	fails "too long" dd if=/dev/zero bs=4097 count=1 >&3 || return 1
	echo "a record" >&3 || return 1
	fails "too long" dd bs=8 count=1 <&4 || return 1
	same "record" "$(dd bs=9 count=1 <&4 2>/dev/null)" "a record" || return 1
	exec 3>&-
	same "end" "$(dd bs=9 <&4 2>/dev/null)" "" || return 1
	fails "pipe" dd if=/dev/zero bs=1 count=1 >&4 || return 1
	exec 4>&-
	becomes closed channel 1
}

# Connect, get half-way, and be killed, again and again.
rmmod_loop()
{
	for _ in $(seq $loops); do
		modprobe kxpc entry_size=1024 nentries=16 || return 1
		dd if=/dev/zero of=/dev/kxpc0 bs=1024 2>/dev/null &
		one=$!
		dd if=/dev/kxpc1 of=/dev/null bs=1024 2>/dev/null &
		two=$!
		becomes connected channel 0 || return 1
		rmmod kxpc 2>/dev/null && { echo "removed while open"; return 1; }
		kill -9 $one $two
		wait $one $two 2>/dev/null
		rmmod kxpc || return 1
	done
	echo "$loops times"
}

block()
{
	echo 1 >$hold || return 1
	pools "while $threads works are blocked"
	same "blocked" "$(cat $hold)" "$threads blocked"
}

unblock()
{
	echo 0 >$hold
	same "blocked" "$(cat $hold)" "0 blocked"
}

# column N NAME: of the line of kpool-top that begins with the name
column()
{
	awk -v n="$1" -v name="$2" '$1 == name { print $n }' /tmp/top
}

# Once as text, once for programs.
top_once()
{
	python3 /bin/kpool-top --once >/tmp/top || return 1
	head -n 5 /tmp/top
	same "threads" "$(column 3 teardown)" $threads/$threads || return 1
	same "running" "$(column 5 teardown)" $threads || return 1
	same "of the group" "$(column 3 crowd)" $threads || return 1
	python3 /bin/kpool-top --json >/tmp/top || return 1
	seen=$(python3 -c '
import json
pool, = json.load(open("/tmp/top"))["pools"]
group, = pool["groups"]
works = pool["works"]
print(pool["name"], pool["nr_running"], group["name"], group["nr_running"],
      len(works), works[0]["group"], works[0]["function"])')
	same "JSON" "$seen" "teardown $threads crowd $threads \
$threads teardown/crowd work_fn"
}

# top_live TERMINAL: until q is typed, which it is.  Without what moves the
# cursor it says the same.
top_live()
{
	echo q | TERM=$1 python3 -c '
import os, pty, sys
sys.exit(os.waitstatus_to_exitcode(pty.spawn(sys.argv[1:])))
' python3 /bin/kpool-top >/tmp/screen || { cat /tmp/screen; return 1; }
	tr '\r' '\n' </tmp/screen |
		sed "s/$(printf '\033')[[(][0-9;?]*[A-Za-z]/ /g" |
		tr -dc '\n -~' >/tmp/top
	grep '^ *teardown ' /tmp/top | cut -c 1-70
	same "threads" "$(column 3 teardown)" $threads/$threads || return 1
	same "running" "$(column 5 teardown)" $threads
}

no_pools()
{
	same "pools left" "$(wc -c <$debug/kpool/pools)" 0
}

step "modprobe kpool_minimal" modprobe kpool_minimal
pools "with four sessions that wait for requests"
step "rmmod kpool_minimal" rmmod kpool_minimal

step "modprobe kxpc" modprobe kxpc
pools "before the transfer"
step "send a file from one partition to the other" transfer
pools "after the transfer"
step "send to a receiver that does not read" back_pressure
step "make mistakes" errors
step "rmmod kxpc" rmmod kxpc
step "load, connect, kill and remove" rmmod_loop

step "modprobe kpool_teardown" modprobe kpool_teardown threads=$threads
step "block $threads threads" block
# where the runner has put Python: not on its test kernels
if [ "$(argument top)" = yes ]; then
	export PATH="$PATH:/usr/bin"
	mkdir -p /dev/pts
	mount -t devpts devpts /dev/pts
	step "see them in kpool-top" top_once
	step "see them live on a terminal" top_live linux
	step "the same on a vt100" top_live vt100
fi
step "let them go" unblock
step "end $threads threads, in a wait and napping" \
	cat $debug/kpool_teardown/run
step "rmmod kpool_teardown" rmmod kpool_teardown

step "no pool is left" no_pools
step "rmmod kpool" rmmod kpool
[ $failures = 0 ]
