# SPDX-License-Identifier: GPL-2.0-only
#
# A user of kpool is unloaded right after it has stopped its works, while more
# are being queued from interrupts; again and again.

. /lib/kpool/lib.sh

loops=50

load_and_unload()
{
	loop=0
	while [ $loop -lt $loops ]; do
		modprobe kpool_client || return
		# in each loop, some other moment of its life
		usleep $((loop % 10 * 10000))
		rmmod kpool_client || return
		loop=$((loop + 1))
		# slow is not hung
		[ $((loop % 10)) != 0 ] || echo "$loop times"
	done
}

step "load kpool" modprobe kpool
step "unload a user under load" load_and_unload
step "unload kpool" rmmod kpool
[ $failures = 0 ]
