# SPDX-License-Identifier: GPL-2.0-only
#
# Targets for people.  How the modules are made is in Kbuild; kbuild does not
# read this file.

running := /lib/modules/$(shell uname -r)/build
newest  := $(lastword $(shell ls -d /lib/modules/*/build 2>/dev/null | sort -V))
KDIR    ?= $(if $(wildcard $(running)/Makefile),$(running),$(newest))
KERNEL  ?= 6.12

kbuild = $(MAKE) -C $(KDIR) M=$(CURDIR)
runner = tools/run

.PHONY: all modules_install clean help demo
.PHONY: check check-matrix check-build check-runner check-mutations promises
.PHONY: bench bench-plot

all: kdir
	$(kbuild) modules

modules_install: kdir
	$(kbuild) CONFIG_MODULE_SIG_ALL= modules_install
	depmod -b "$(INSTALL_MOD_PATH)/" \
		"$$(cat $(KDIR)/include/config/kernel.release)"

clean:
	$(if $(KDIR),$(kbuild) clean)
	rm -rf build

# Say so when modules are built for another kernel than the running one.
.PHONY: kdir
kdir:
	@test -n "$(KDIR)" || { \
		echo "No kernel headers; type: sudo apt-get install linux-headers-amd64" >&2; \
		exit 1; }
	@test "$(KDIR)" = "$(running)" || echo "Building for the kernel of $(KDIR)"

check:
	@$(runner) check --kernel "$(KERNEL)"

check-matrix:
	@$(runner) check-matrix

check-build:
	@$(runner) check-build

check-runner:
	@$(runner) check-runner

check-mutations:
	@$(runner) check-mutations $(if $(ONLY),--only "$(ONLY)")

promises:
	@$(runner) promises

bench:
	@$(runner) bench $(if $(ROWS),--rows "$(ROWS)")

bench-plot:
	@$(runner) bench-plot $(if $(KEEP),--keep)

demo:
	@$(runner) demo $(if $(FILE),--file "$(FILE)")

help:
	@echo 'make                  build the modules for the running kernel, or'
	@echo '                      (KDIR=...) for the kernel of these headers'
	@echo 'make modules_install  install them (INSTALL_MOD_PATH=...)'
	@echo 'make clean            remove what was built'
	@echo 'make demo             see kpool at work in QEMU (FILE=... to send)'
	@echo 'make check            build everything and run all tests in QEMU'
	@echo '                      (KERNEL=$(KERNEL); of tools/runner/kernels.py)'
	@echo 'make check-matrix     the same on each of the kernels there'
	@echo 'make check-build      compile against every supported kernel'
	@echo 'make check-runner     test the test runner: each gate must close'
	@echo 'make check-mutations  break the code on purpose: tests must notice'
	@echo '                      (ONLY=... for some)'
	@echo 'make bench            measure kpool beside its peers and the floor, in'
	@echo '                      QEMU, and hold it to its bars (ROWS=a,b for some)'
	@echo 'make bench-plot       draw what was measured, into build/bench (KEEP=1:'
	@echo '                      into Documentation/images)'
	@echo 'make promises         write the tables of Documentation/promises.rst'
	@echo
	@echo 'Demo and checks install what they need from Debian (not with'
	@echo 'KPOOL_NO_INSTALL=1), and keep kernels in ~/.cache/kpool (KPOOL_CACHE).'
