#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# From a fresh machine to the first trace: install what is needed, build, boot the example hypervisor (nVHE, then VHE)
# and print every transition between levels with its cause, and the table of counts.
set -eu
cd "$(dirname "$0")/.."

sh scripts/packages.sh
cmake -S . -B build -G Ninja -DSTRATA_TESTS=OFF >/dev/null
cmake --build build
for name in hypervisor hypervisor-vhe; do
	echo
	echo "== examples/hypervisor: $name, started at EL2, every transition between levels"
	build/strata run "build/examples/hypervisor/$name.elf" --boot-el 2 --trace el --stats </dev/null
done
