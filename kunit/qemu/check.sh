# SPDX-License-Identifier: GPL-2.0-only
#
# Load modules, which runs their KUnit suites, and report what became of it.
#
#   guest.modules=a,b   load these, in this order
#   guest.runs=2        run every suite again through debugfs
#   guest.leaks=no      save the time that kmemleak takes

. /lib/kpool/lib.sh

run_suites_again()
{
	for suite in $suites/*/; do
		[ -e "$suite/run" ] || continue
		echo "STEP $(basename "$suite") once more"
		echo run >"$suite/run"
	done
}

modules=$(argument modules | tr , ' ')
for module in $modules; do
	step "load $module" modprobe "$module"
done
report_suites 1

run=2
while [ "$run" -le "$(argument runs)" ]; do
	run_suites_again
	report_suites $run
	run=$((run + 1))
done

leaks loaded

reversed=
for module in $modules; do
	reversed="$module $reversed"
done
for module in $reversed; do
	step "unload $module" rmmod "$module"
done

[ $failures = 0 ]
