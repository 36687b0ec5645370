#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Compare the floating-point library with QEMU's AArch64: random operations, results and flags.
# Usage: run.sh build-directory [count-per-operation [seed]]
# Needs cc, aarch64-linux-gnu-gcc and qemu-system-aarch64.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
top=$(cd "$here/../../.." && pwd)
out=${1:?build directory}
count=${2:-2000}
seed=${3:-1}
mkdir -p "$out"
${CC:-cc} -std=gnu11 -O2 -ffp-contract=off -Wall -Wextra -Werror -I"$top/src" -I"$here" \
	-o "$out/fp_vectors_gen" "$here/fp_vectors_gen.c" "$top"/src/cpu/fp/*.c -lm
"$out/fp_vectors_gen" "$count" "$seed" >"$out/fp_vectors.bin"
aarch64-linux-gnu-gcc -std=gnu11 -O2 -Wall -Wextra -Werror -ffreestanding -nostdlib -static \
	-march=armv8.6-a+fp16+fp16fml -mstrict-align -mgeneral-regs-only -fno-pie -no-pie \
	-DFP_VECTORS_FILE="\"$out/fp_vectors.bin\"" -Wa,-march=armv8.6-a+fp16+fp16fml \
	-Wl,-Ttext=0x40200000 -Wl,--build-id=none -Wl,-z,max-page-size=4096 \
	-o "$out/fp_vectors.elf" "$here/fp_vectors_run.c"
exec qemu-system-aarch64 -M virt -cpu max -m 1024 -nographic -serial none -monitor none \
	-semihosting -kernel "$out/fp_vectors.elf"
