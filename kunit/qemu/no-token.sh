# SPDX-License-Identifier: GPL-2.0-only
#
# A guest that ends early, as after a crash: for the runner's test of itself.

echo "STEP leave early"
reboot -f
