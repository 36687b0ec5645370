#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Runs vectors_main.c on QEMU and rewrites the rows of crypto_vectors.def and pauth_vectors.def
# below their head comments. Needs aarch64-linux-gnu-gcc and qemu-system-aarch64; the rows in the
# tree are of QEMU 7.2.
set -eu
cd "$(dirname "$0")"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
for part in crypto pauth; do
	aarch64-linux-gnu-gcc -O1 -nostdlib -static -ffreestanding -mstrict-align \
		-march=armv8.5-a+crypto+sha3+sm4 -fno-builtin -fno-stack-protector \
		-Wl,-Ttext=0x40100000 -Wl,--build-id=none "-DVECTORS_$part" \
		vectors_start.S vectors_main.c -o "$work/vectors.elf"
	timeout 60 qemu-system-aarch64 -M virt -cpu max,pauth-impdef=off -semihosting -nographic \
		-kernel "$work/vectors.elf" >"$work/rows" 2>&1 </dev/null
	sed -n '/^\/\//p' "${part}_vectors.def" >"$work/new"
	cat "$work/rows" >>"$work/new"
	cp "$work/new" "${part}_vectors.def"
done
