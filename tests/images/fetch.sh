#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# Fetch Debian's arm64 cloud kernel and a static busybox, and build the initramfs of the tests.
#
# Packages come through apt-get from the sources this machine is configured with, and apt checks
# their signatures.  Lists, state and cache are private, so the host's packages stay as they are.
# What is there and sound is not fetched again.  Debian ships no System.map with its kernels, so it
# is made from the symbol table inside the Image.

set -euo pipefail
export LC_ALL=C
umask 022

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
cache=${STRATA_IMAGE_CACHE:-${XDG_CACHE_HOME:-${HOME:?}/.cache}/strata/images}

usage() {
	cat <<-END
	Usage: fetch.sh [OPTION]
	Fetch the Linux kernel and build the initramfs that the system tests and bench/boot run.

	  --print-dir  print the directory they are in, and do nothing else
	  --check      fetch nothing; exit with 77 unless everything is there
	  --refresh    fetch the newest packages even if there are images already
	  --help       print this and exit

	The directory is \$STRATA_IMAGE_CACHE, or strata/images in \$XDG_CACHE_HOME or ~/.cache.
	In it: Image, System.map, initramfs.cpio.gz.
	Exit status: 0 they are there; 77 they can't be had (1 if STRATA_REQUIRE_IMAGES=1); 2 usage.
	END
}

say() {
	printf 'fetch.sh: %s\n' "$*" >&2
}

# The packages can't be had: a reason to skip tests, unless someone insists on them.
skip() {
	if [ "${STRATA_REQUIRE_IMAGES:-0}" = 1 ]; then
		say "error: $* (and STRATA_REQUIRE_IMAGES=1)"
		exit 1
	fi
	printf 'SKIP: %s\n' "$*"
	exit 77
}

apt() {
	local tool=$1
	shift
	# The status file is empty: nothing of the host may look installed. The sandbox user of
	# apt can't enter a private directory; the signature check does not depend on it.
	"$tool" -q \
		-oAPT::Architecture=arm64 -oAPT::Architectures=arm64 \
		-oAPT::Sandbox::User="$(id -un)" \
		-oAcquire::Languages=none -oAcquire::Retries=3 \
		-oAcquire::http::Timeout=30 -oAcquire::https::Timeout=30 \
		-oDir::State="$work/apt" -oDir::State::Lists="$work/apt/lists" \
		-oDir::State::status="$work/apt/status" \
		-oDir::Cache="$work/apt/cache" \
		"$@"
}

# The last line that says what went wrong, without the addresses of anyone's mirror.
reason() {
	{ grep -E '^(E|Err|W):' "$1" || tail -n 1 "$1"; } | tail -n 1 |
		sed 's,[a-z]*://[^ ]*,(source),g'
}

# Bring the one package $1 to $work/root, unpacked.
fetch_package() {
	say "fetching $1"
	(cd "$work" && apt apt-get download "$1") >"$work/log" 2>&1 ||
		skip "package $1 can't be fetched: $(reason "$work/log")"
	mkdir -p "$work/root"
	dpkg-deb -x "$work/$1"_*.deb "$work/root" ||
		skip "package $1 can't be unpacked"
}

# Names the real kernel package, on which the metapackage depends.
kernel_package() {
	apt apt-cache depends --no-recommends --no-suggests linux-image-cloud-arm64 2>/dev/null |
		sed -n 's/^ *Depends: *\(linux-image-[0-9][^ :]*\).*/\1/p' | head -n 1
}

fetch_all() {
	for tool in apt-get apt-cache dpkg-deb; do
		command -v $tool >/dev/null || skip "$tool is missing, which fetches Debian packages"
	done
	mkdir -p "$work"/apt/{lists,cache/archives}/partial
	: >"$work/apt/status"
	say "reading the package lists for arm64"
	apt apt-get update >"$work/log" 2>&1 ||
		skip "package lists can't be fetched: $(reason "$work/log")"
	local kernel
	kernel=$(kernel_package) || true
	# apt-get update is content when a source can't be reached, so look for its complaint here.
	[ -n "$kernel" ] ||
		skip "the package sources have no linux-image-cloud-arm64: $(reason "$work/log")"
	fetch_package "$kernel"
	fetch_package busybox-static

	local version=${kernel#linux-image-}
	[ "$(od -An -tx1 -j56 -N4 "$work/root/boot/vmlinuz-$version" | tr -d ' ')" = 41524d64 ] ||
		skip "the kernel in $kernel is not a plain arm64 Image"
	mv "$work/root/boot/vmlinuz-$version" "$cache/Image"
	mv "$work/root/bin/busybox" "$cache/busybox" 2>/dev/null ||
		mv "$work/root/usr/bin/busybox" "$cache/busybox"
	printf '%s\n' "$version" >"$cache/version"
	(cd "$cache" && sha256sum Image busybox version >packages.sha256.new)
	mv "$cache/packages.sha256.new" "$cache/packages.sha256"
}

packages_sound() {
	[ -s "$cache/packages.sha256" ] &&
		(cd "$cache" && sha256sum --status -c packages.sha256) 2>/dev/null
}

# What we make depends on our own scripts too, so their sums are part of what is compared.
made_inputs() {
	sha256sum "$cache/Image" "$cache/busybox" "$here"/{init,kallsyms.py,mkcpio.py} |
		cut -d' ' -f1
}

made_sound() {
	[ -s "$cache/made.sha256" ] && [ -s "$cache/made.inputs" ] &&
		[ "$(made_inputs)" = "$(cat "$cache/made.inputs")" ] &&
		(cd "$cache" && sha256sum --status -c made.sha256) 2>/dev/null
}

make_rest() {
	mkdir -p "$work"
	say "building the initramfs"
	python3 "$here/mkcpio.py" "$cache/busybox" "$here/init" "$work/initramfs.cpio"
	gzip -n -9 <"$work/initramfs.cpio" >"$work/initramfs.cpio.gz"
	say "reading the kernel's symbols"
	python3 "$here/kallsyms.py" "$cache/Image" "$work/System.map"
	mv "$work/initramfs.cpio.gz" "$work/System.map" "$cache/"
	(cd "$cache" && sha256sum initramfs.cpio.gz System.map >made.sha256)
	made_inputs >"$cache/made.inputs"
}

refresh=0
check=0
for arg in "$@"; do
	case $arg in
	--print-dir) printf '%s\n' "$cache"; exit 0 ;;
	--check) check=1 ;;
	--refresh) refresh=1 ;;
	--help) usage; exit 0 ;;
	*) say "unknown option $arg"; usage >&2; exit 2 ;;
	esac
done

mkdir -p "$cache" 2>/dev/null || skip "the directory $cache can't be made"
work=$cache/tmp.$$
trap 'rm -rf "$work"' EXIT
# Several tests may come here at once; the first does the work, the others find it done.
if ! { exec 9>"$cache/lock"; } 2>/dev/null; then
	skip "the directory $cache can't be written"
fi
flock 9

if [ $refresh = 1 ] || ! packages_sound; then
	[ $check = 0 ] || skip "no kernel image in $cache (tests/images/fetch.sh brings it)"
	fetch_all
fi
if ! made_sound; then
	make_rest
fi
say "kernel $(cat "$cache/version") and initramfs are in $cache"
