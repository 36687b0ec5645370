#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# All tests, from a fresh machine: install, build with gcc, clang and the sanitizers (warnings are errors), run.
# STRATA_TEST_ONLY=gcc, clang, sanitize or tidy runs one part alone.
set -eu
cd "$(dirname "$0")/.."

sh scripts/packages.sh tests
export STRATA_REQUIRE_IMAGES="${STRATA_REQUIRE_IMAGES-1}"
export STRATA_REQUIRE_QEMU="${STRATA_REQUIRE_QEMU-1}"
only="${STRATA_TEST_ONLY:-all}"
jobs="$(nproc)"

wanted() {
	[ "$only" = all ] || [ "$only" = "$1" ]
}

# The options of cmake come after the name of the build directory.
build() {
	directory="$1"
	shift
	cmake -S . -B "$directory" -G Ninja "$@" >/dev/null
	cmake --build "$directory"
}

# Run a build's tests. Nothing may be skipped here: everything that a test needs was installed or fetched.
check() {
	directory=$1
	shift
	ctest --test-dir "$directory" --output-on-failure --no-tests=error -j "$jobs" --output-junit results.xml "$@"
	if grep -q '<skipped' "$directory/results.xml"; then
		echo "scripts/test.sh: tests of $directory were skipped:" >&2
		grep -B1 '<skipped' "$directory/results.xml" | sed -n 's/.*<testcase name="\([^"]*\)".*/  \1/p' >&2
		exit 1
	fi
}

if [ "$only" != tidy ]; then
	tests/images/fetch.sh
fi
if wanted gcc; then
	tests/images/fetch.sh --kvm --xen
	build build -DCMAKE_C_COMPILER=gcc -DSTRATA_TESTS=ON
	check build
fi
if wanted clang; then
	build build-clang -DCMAKE_C_COMPILER=clang-14
	check build-clang -L 'unit|guest|vectors|diff|traps'
fi
if wanted sanitize; then
	build build-sanitize -DCMAKE_C_COMPILER=gcc -DSTRATA_SANITIZE=ON -DCMAKE_BUILD_TYPE=RelWithDebInfo
	check build-sanitize -L 'unit|guest|vectors|fuzz|traps'
fi
if wanted tidy; then
	[ -f build/compile_commands.json ] || cmake -S . -B build -G Ninja >/dev/null
	find src -name '*.c' -print0 | xargs -0 -n 4 -P "$jobs" clang-tidy-14 -p build --quiet
fi
echo "scripts/test.sh: everything passed"
