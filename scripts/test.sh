#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# All tests, from a fresh machine: install, build with gcc, clang and the sanitizers (warnings are errors), run.
# STRATA_TEST_ONLY=gcc, clang, sanitize or tidy runs one part alone.
set -eu
cd "$(dirname "$0")/.."

sh scripts/packages.sh tests
export STRATA_REQUIRE_IMAGES="${STRATA_REQUIRE_IMAGES-1}"
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

if wanted gcc; then
	build build -DCMAKE_C_COMPILER=gcc -DSTRATA_TESTS=ON
	tests/images/fetch.sh
	ctest --test-dir build --output-on-failure -j "$jobs"
fi
if wanted clang; then
	build build-clang -DCMAKE_C_COMPILER=clang-14
	ctest --test-dir build-clang --output-on-failure -j "$jobs" -L 'unit|guest|vectors|diff'
fi
if wanted sanitize; then
	build build-sanitize -DCMAKE_C_COMPILER=gcc -DSTRATA_SANITIZE=ON -DCMAKE_BUILD_TYPE=RelWithDebInfo
	ctest --test-dir build-sanitize --output-on-failure -j "$jobs" -L 'unit|guest|vectors|fuzz'
fi
if wanted tidy; then
	[ -f build/compile_commands.json ] || cmake -S . -B build -G Ninja >/dev/null
	find src -name '*.c' -print0 | xargs -0 -n 4 -P "$jobs" clang-tidy-14 -p build --quiet
fi
echo "scripts/test.sh: everything passed"
