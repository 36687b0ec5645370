#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Install the Debian packages that building (and, with "tests", testing) needs; does nothing when all are there.
set -eu

packages="gcc g++ make cmake ninja-build pkg-config python3 libcapstone-dev libfdt-dev libelf-dev zlib1g-dev libzstd-dev
	gcc-aarch64-linux-gnu binutils-aarch64-linux-gnu libc6-dev"
if [ "${1:-}" = tests ]; then
	packages="$packages check libjansson-dev libsubunit-dev device-tree-compiler qemu-system-arm clang-14 clang-format-14
		clang-tidy-14 libclang-rt-14-dev cpio zstd gzip dpkg ca-certificates"
fi

missing=""
for package in $packages; do
	if ! dpkg-query -W -f '${Status}' "$package" 2>/dev/null | grep -q 'ok installed'; then
		missing="$missing $package"
	fi
done
[ -n "$missing" ] || exit 0

run=""
if [ "$(id -u)" -ne 0 ]; then
	command -v sudo >/dev/null || { echo "packages.sh: run as root, or install sudo; missing:$missing" >&2; exit 1; }
	run=sudo
fi
$run apt-get update -q
# shellcheck disable=SC2086
DEBIAN_FRONTEND=noninteractive $run apt-get install -y -q --no-install-recommends $missing
