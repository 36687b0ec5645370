#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# What a user gets wrong: every case is one clear line on standard error that names the thing, exit status 2, and
# nothing on standard output: nothing was started.
#
#	cli_errors.sh STRATA
set -u

strata=$1
dir=$(mktemp -d) || exit 1
trap 'rm -rf "$dir"' EXIT
failures=0
cases=0

# expect WORDS ARGUMENT...: running with the arguments must fail with a line that holds the words.
expect() {
	words=$1
	shift
	cases=$((cases + 1))
	timeout 20 "$strata" "$@" >"$dir/out" 2>"$dir/err" </dev/null
	status=$?
	lines=$(wc -l <"$dir/err")
	if [ "$status" -ne 2 ]; then
		echo "FAIL: strata $*: status $status, not 2"
	elif [ "$lines" -ne 1 ]; then
		echo "FAIL: strata $*: $lines lines on standard error, not 1"
	elif [ -s "$dir/out" ]; then
		echo "FAIL: strata $*: something on standard output"
	elif ! grep -qF -- "$words" "$dir/err"; then
		echo "FAIL: strata $*: no '$words' in: $(cat "$dir/err")"
	else
		return
	fi
	failures=$((failures + 1))
}

# prints ARGUMENT...: must succeed, with standard output and without standard error.
prints() {
	cases=$((cases + 1))
	timeout 20 "$strata" "$@" >"$dir/out" 2>"$dir/err" </dev/null
	status=$?
	if [ "$status" -ne 0 ] || [ -s "$dir/err" ] || [ ! -s "$dir/out" ]; then
		echo "FAIL: strata $*: status $status, or output at the wrong place"
		failures=$((failures + 1))
	fi
}

# le SIZE VALUE: a little-endian number.
le() {
	n=$1
	v=$2
	while [ "$n" -gt 0 ]; do
		printf "\\$(printf '%03o' $((v % 256)))"
		v=$((v / 256))
		n=$((n - 1))
	done
}

# elf CLASS MACHINE PADDR FILESZ MEMSZ: an ELF with one segment of FILESZ bytes, of which 16 are in the file.
elf() {
	printf '\177ELF'
	le 1 "$1"
	printf '\001\001\000\000\000\000\000\000\000\000\000'
	le 2 2
	le 2 "$2"
	le 4 1
	le 8 "$3"
	le 8 64
	le 8 0
	le 4 0
	le 2 64
	le 2 56
	le 2 1
	le 2 0
	le 2 0
	le 2 0
	le 4 1
	le 4 5
	le 8 120
	le 8 "$3"
	le 8 "$3"
	le 8 "$4"
	le 8 "$5"
	le 8 4
	printf '\000\000\000\024\000\000\000\024\000\000\000\024\000\000\000\024'
}

ram=1073741824 # 0x40000000
elf 2 183 $ram 16 16 >"$dir/good.elf"
elf 2 62 $ram 16 16 >"$dir/x86.elf"
elf 1 183 $ram 16 16 >"$dir/elf32.elf"
elf 2 183 $ram 4096 4096 >"$dir/truncated.elf"
elf 2 183 268435456 16 16 >"$dir/outside.elf"
elf 2 183 $ram 16 2147483648 >"$dir/huge.elf"
head -c 100 "$dir/good.elf" >"$dir/cut.elf"
echo "hello" >"$dir/text"
: >"$dir/empty"
printf '\037\213\010\000broken' >"$dir/broken.gz"

expect "no command"
expect "unknown command 'fly'" fly
expect "unknown option '--fly'" --fly
expect "no image" run
expect "unknown option '--fly'" run "$dir/good.elf" --fly
expect "unknown option '-x'" run -x "$dir/good.elf"
expect "missing after '--cpu'" run "$dir/good.elf" --cpu
expect "one image" run "$dir/good.elf" "$dir/good.elf"
expect "nonexistent: No such file" run "$dir/nonexistent"
expect "is a directory" run "$dir"
expect "is empty" run "$dir/empty"
expect "FILE@ADDRESS" run "$dir/text"
expect "another machine" run "$dir/x86.elf"
expect "64-bit" run "$dir/elf32.elf"
expect "truncated" run "$dir/truncated.elf"
expect "cut.elf" run "$dir/cut.elf"
expect "not in RAM" run "$dir/outside.elf"
expect "not in RAM" run "$dir/huge.elf"
expect "gzip" run "$dir/broken.gz"
expect "not in RAM" run "$dir/text@0x1000"
expect "overlap" run "$dir/good.elf" --load "$dir/text@0x40000008"
expect "--load: '$dir/text'" run "$dir/good.elf" --load "$dir/text"
expect "No such file" run "$dir/good.elf" --load "$dir/nonexistent@0x40100000"
expect "No such file" run "$dir/good.elf" --initrd "$dir/nonexistent"
expect "No such file" run "$dir/good.elf" --dtb "$dir/nonexistent"
expect "not a device tree" run "$dir/good.elf" --dtb "$dir/text"
expect "No such file" run "$dir/good.elf" --symbols "$dir/nonexistent"
expect "neither an ELF nor a System.map" run "$dir/good.elf" --symbols "$dir/text"
expect "can't write" run "$dir/good.elf" --dump-dtb "$dir/nonexistent/dtb"
expect "can't write" run "$dir/good.elf" --trace el --trace-out "$dir/nonexistent/trace"
expect "No such file" run "$dir/good.elf" --semihosting-dir "$dir/nonexistent"
expect "unknown symbol 'nothing'" run "$dir/good.elf" --trace el --trace-filter symbol=nothing
expect "unknown cause 'NOTHING'" run "$dir/good.elf" --trace el --trace-filter cause=NOTHING
expect "unknown key 'shape'" run "$dir/good.elf" --stats --trace-filter shape=round
expect "--memory" run "$dir/good.elf" --memory 0
expect "multiples of 4 KiB" run "$dir/good.elf" --memory 1000001
expect "--memory" run "$dir/good.elf" --memory 1Q
expect "beyond the" run "$dir/good.elf" --ram-base 0xffffffffff000
expect "overlaps the board's devices" run "$dir/good.elf" --ram-base 0x9000000
expect "--smp" run "$dir/good.elf" --smp 0
expect "--smp" run "$dir/good.elf" --smp 1000
expect "--boot-el" run "$dir/good.elf" --boot-el 4
expect "cortex-z80" run "$dir/good.elf" --cpu cortex-z80
expect "--entry" run "$dir/good.elf" --entry here
expect "multiple of 4" run "$dir/good.elf" --entry 0x40000002
expect "where to start" run --load "$dir/text@0x40000000"
expect "--max-insns" run "$dir/good.elf" --max-insns 0
expect "--max-time" run "$dir/good.elf" --max-time soon
expect "--trace" run "$dir/good.elf" --trace everything
expect "--tlb" run "$dir/good.elf" --tlb large

prints --help
prints --version
prints run --help

# A dump alone needs no image.
cases=$((cases + 1))
if ! "$strata" run --dump-dtb "$dir/dtb" </dev/null >"$dir/out" 2>&1 || [ ! -s "$dir/dtb" ] || [ -s "$dir/out" ]; then
	echo "FAIL: --dump-dtb without an image"
	failures=$((failures + 1))
fi

# A good image runs: `b .` until the limit, status 3; and 16 bytes are enough to be stuck in WFI: status 4.
cases=$((cases + 2))
timeout 20 "$strata" run "$dir/good.elf" --max-insns 1000 </dev/null >"$dir/out" 2>"$dir/err"
status=$?
if [ $status -ne 3 ]; then
	echo "FAIL: a limit ends with status $status, not 3"
	failures=$((failures + 1))
fi
printf '\177\040\003\325\377\377\377\027' >"$dir/wfi" # 1: wfi; b 1b
timeout 20 "$strata" run "$dir/wfi@0x40000000" </dev/null >"$dir/out" 2>"$dir/err"
status=$?
if [ $status -ne 4 ] || ! grep -q "every PE waits" "$dir/err"; then
	echo "FAIL: a guest that waits for nothing ends with status $status, not 4"
	failures=$((failures + 1))
fi

echo "$cases cases, $failures failures"
[ "$failures" -eq 0 ]
