#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# run_qemu.sh ELF [WORD...] - run a guest-test image under QEMU, to check the tests themselves against a second opinion.
# Words are handed to the image: "list" prints its tests, "only=TEXT" runs those whose names contain TEXT.
# QEMU in the environment is the program (qemu-system-aarch64), CPU its -cpu, TIMEOUT the seconds that it has. Exit
# status: that of the image, 124 where it hangs.
set -eu
if [ $# -lt 1 ]; then
	echo "usage: run_qemu.sh ELF [list | only=TEXT]" >&2
	exit 2
fi
elf=$1
shift
words=
for word in "$@"; do
	words="$words,arg=$word"
done
qemu=${QEMU:-qemu-system-aarch64}
version=$("$qemu" --version | sed -n '1s/.*version \([0-9][0-9]*\).*/\1/p')
exec timeout "${TIMEOUT:-30}" "$qemu" \
	-M virt,secure=on,virtualization=on,gic-version=3,mte=on -cpu "${CPU:-max}" -m 256 \
	-semihosting-config "enable=on,target=native,arg=guest,arg=under=qemu-$version$words" \
	-nographic -monitor none -kernel "$elf" </dev/null
