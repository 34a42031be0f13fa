# SPDX-License-Identifier: GPL-2.0-only
#
# Try cases on broken modules, and before each on the unbroken ones.
#
#   /mutants/trials   in each line a trial: its number, the test module, the
#                     case, and the folder of the modules that are broken
#   guest.first=1     try these, which are those from here ...
#   guest.last=9      ... to there
#   guest.control=no  without the unbroken ones
#
# Each run begins with the line "TRIAL number what", also on the console, and
# goes on like a boot, with an end of its own.  init writes that of the last.

. /lib/kpool/lib.sh

filter=/sys/module/kunit/parameters/filter_glob
running=

# left: is a module there, or a thread, of which ours have names like this?  It
# is asked often, and the full census takes long; init makes one at the end.
left()
{
	for try in 1 2 3 4 5; do
		read -r _ </proc/modules ||
			grep -q "^kpool" /proc/[0-9]*/comm || return 1
		sleep 1
	done 2>/dev/null
}

# intact: nothing is left of what ran, and the checkers still report.  Of the
# bits, one is set by an oops and the other by a corrupted page or by KASAN,
# which reports once.
intact()
{
	left && return 1
	lockdep=$(lockdep_state)
	read -r cpus </sys/devices/system/cpu/online
	read -r tainted </proc/sys/kernel/tainted
	[ "$lockdep" != "LOCKDEP 0" ] && [ "$cpus" = "$all_cpus" ] &&
		[ $((tainted & 160)) = 0 ]
}

# begin RUN: after the end of the one before
begin()
{
	if [ -n "$running" ]; then
		intact || exit 0
		echo "UNLOADED"
		echo "$lockdep"
		echo "KPOOL-END $nonce.$running 0"
	fi
	running=$1
	echo "TRIAL $1"
	echo "kpool-trial: $1" >/dev/kmsg
}

# load MODULE FOLDER: the broken one, if there is one
load()
{
	if [ -e "$2/$1.ko" ]; then
		insmod "$2/$1.ko"
	else
		modprobe "$1"
	fi
}

# attempt NAME COMMAND...: a quick step
attempt()
{
	name=$1
	shift
	echo "STEP $name"
	if words=$("$@" 2>&1); then
		pass "$name"
	else
		fail "$name" "$words"
	fi
}

# run MODULE CASE FOLDER
run()
{
	printf %s "$2" >$filter
	attempt "load kpool" load kpool "$3"
	attempt "load $1" load "$1" "$3"
	report_suites 1
	leaks loaded
	# it waits for grace periods, and that is no part of a test
	echo 1 >/sys/kernel/rcu_expedited
	attempt "unload $1" rmmod "$1"
	attempt "unload kpool" rmmod kpool
	echo 0 >/sys/kernel/rcu_expedited
}

read -r all_cpus </sys/devices/system/cpu/online
nonce=$(argument nonce)
first=$(argument first)
last=$(argument last)
control=$(argument control)
while read -r number module case folder <&3; do
	[ "$number" -ge "$first" ] || continue
	[ "$number" -le "$last" ] || break
	if [ "$control" != no ]; then
		begin "$number-control"
		run "$module" "$case" /none
	fi
	begin "$number-mutant"
	run "$module" "$case" "$folder"
done 3</mutants/trials
