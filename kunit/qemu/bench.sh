# SPDX-License-Identifier: GPL-2.0-only
#
# Measure row after row, or those of guest.rows=a,b; see tools/bench.

. /lib/kpool/lib.sh

bench=/sys/kernel/debug/kpool_bench

measure()
{
	echo "$1" >$bench/run
}

step "modprobe kpool_bench" modprobe kpool_bench

rows=$(argument rows | tr , ' ')
for row in ${rows:-$(cat $bench/rows)}; do
	step "measure $row" measure "$row"
	echo "BENCH-BEGIN $row"
	cat $bench/run
	echo "BENCH-END"
done

step "rmmod kpool_bench" rmmod kpool_bench
step "rmmod kpool" rmmod kpool

[ $failures = 0 ]
