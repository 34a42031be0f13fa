# SPDX-License-Identifier: GPL-2.0-only
#
# What init and the guest scripts share.  Their output is read by the runner:
#
#   STEP name              a step begins
#   OK name                it ended well
#   FAIL name: why         it did not
#   KTAP-BEGIN suite run   the results of a suite follow, up to KTAP-END
#   LOCKDEP n              debug_locks: 0 after any report of lockdep
#   LEAK-BEGIN when        kmemleak's report follows, up to LEAK-END
#   SCAN what              kmemleak looks for leaks, which takes a while
#   LEFT what              a module or thread that should be gone
#   UNLOADED               everything was looked for
#   TRIAL number-what      one of many runs begins (mutants.sh)
#
# and everything else is shown to the user as it is.

failures=0
suites=/sys/kernel/debug/kunit

# argument NAME: the value of guest.NAME= on the kernel's command line
argument()
{
	sed -n "s/.*\bguest\.$1=\([^ ]*\).*/\1/p" /proc/cmdline
}

pass()
{
	echo "OK $1"
}

fail()
{
	echo "FAIL $1: $2"
	failures=$((failures + 1))
}

# step NAME COMMAND...: run it; its last words are the reason of a failure.
# It runs in a subshell: what it sets is lost.
step()
{
	name=$1
	shift
	echo "STEP $name"
	{
		"$@" 2>&1
		echo $? >/tmp/status
	} | tee /tmp/words
	if [ "$(cat /tmp/status)" = 0 ]; then
		pass "$name"
	else
		fail "$name" "$(tail -n 1 /tmp/words) (status $(cat /tmp/status))"
	fi
}

# report_suites RUN: what came out of the suites that are loaded
report_suites()
{
	for suite in $suites/*/; do
		[ -e "$suite/results" ] || continue
		echo "KTAP-BEGIN $(basename "$suite") $1"
		cat "$suite/results"
		echo "KTAP-END"
	done
}

# modules_loaded: ours, and only ours, because nothing else is a module here
modules_loaded()
{
	cut -d ' ' -f 1 /proc/modules
}

# kernel_threads: their names, without those that come and go by themselves
kernel_threads()
{
	awk '$4 == 2 { print $2 }' /proc/[0-9]*/stat 2>/dev/null |
		grep -v '^(kworker/'
}

# new_threads: those that were not there before the first module
new_threads()
{
	kernel_threads | grep -vxF -f /tmp/threads
}

# census_begin: what is there before the script loads modules
census_begin()
{
	kernel_threads >/tmp/threads
}

# census: say what is still there when the script has unloaded its modules.  A thread that
# has ended may still be on its way out of the process list: wait a little.
census()
{
	for try in 1 2 3 4 5; do
		[ -n "$(modules_loaded)$(new_threads)" ] || break
		sleep 1
	done
	modules_loaded | sed 's/^/LEFT module /'
	new_threads | sed 's/^/LEFT thread /'
	echo "UNLOADED"
}

# kmemleak's control file, unless there is none or the runner wants no scans
kmemleak()
{
	[ "$(argument leaks)" != no ] && ls /sys/kernel/debug/kmemleak 2>/dev/null
}

# leaks WHEN: let kmemleak look.  It does not believe in leaks that are younger
# than five seconds, nor in one whose content changed since its last look.
leaks()
{
	control=$(kmemleak) || return 0
	echo "SCAN looking for leaks, modules $1"
	sleep 6
	echo scan >"$control"
	echo scan >"$control"
	echo "LEAK-BEGIN $1"
	cat "$control"
	echo "LEAK-END"
}

# leaks_forget: what the kernel itself lost while booting is not our business
leaks_forget()
{
	control=$(kmemleak) || return 0
	echo scan >"$control"
	echo clear >"$control"
}

lockdep_state()
{
	[ -e /proc/lockdep_stats ] || return 0
	sed -n 's/^ *debug_locks: */LOCKDEP /p' /proc/lockdep_stats
}
