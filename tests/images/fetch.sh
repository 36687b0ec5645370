#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# Fetch Debian's arm64 cloud kernel and a static busybox, and build the initramfs of the tests; with
# --kvm also Debian's QEMU for arm64, for a guest under KVM; with --xen Debian's Xen.
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

	  --kvm        also bring a user space that runs a guest with KVM: Debian's QEMU for arm64
	  --xen        also bring the Xen hypervisor
	  --print-dir  print the directory they are in, and do nothing else
	  --check      fetch nothing; exit with 77 unless everything is there
	  --refresh    fetch the newest packages even if there are images already
	  --help       print this and exit

	The packages come from this machine's apt sources, or from those in the file
	\$STRATA_APT_SOURCES: another release's, with another directory.
	The directory is \$STRATA_IMAGE_CACHE, or strata/images in \$XDG_CACHE_HOME or ~/.cache.
	In it: Image, System.map, initramfs.cpio.gz; with --kvm also kvm.cpio; with --xen also xen.
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
		${STRATA_APT_SOURCES:+-oDir::Etc::SourceList="$(realpath "$STRATA_APT_SOURCES")" -oDir::Etc::SourceParts=-} \
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

# Names the real package $2-VERSION, on which the metapackage $1 depends.
real_package() {
	apt apt-cache depends --no-recommends --no-suggests "$1" 2>/dev/null |
		sed -n "s/^ *Depends: *\\($2-[0-9][^ :]*\\).*/\\1/p" | head -n 1
}

read_lists() {
	for tool in apt-get apt-cache dpkg-deb; do
		command -v $tool >/dev/null || skip "$tool is missing, which fetches Debian packages"
	done
	mkdir -p "$work"/apt/{lists,cache/archives}/partial
	: >"$work/apt/status"
	say "reading the package lists for arm64"
	apt apt-get update >"$work/log" 2>&1 ||
		skip "package lists can't be fetched: $(reason "$work/log")"
}

fetch_all() {
	local kernel
	read_lists
	kernel=$(real_package linux-image-cloud-arm64 linux-image) || true
	# apt-get update is content when a source can't be reached, so look for its complaint here.
	[ -n "$kernel" ] ||
		skip "the package sources have no linux-image-cloud-arm64: $(reason "$work/log")"
	fetch_package "$kernel"
	fetch_package busybox-static

	local version=${kernel#linux-image-}
	local image=$work/root/boot/vmlinuz-$version
	if [ ! -e "$image" ]; then # from Debian 14 on it is in a package of its own
		fetch_package "linux-binary-$version"
		image=$work/root/usr/lib/modules/$version/vmlinuz
	fi
	[ "$(od -An -tx1 -j56 -N4 "$image" | tr -d ' ')" = 41524d64 ] ||
		skip "the kernel in $kernel is not a plain arm64 Image"
	mv "$image" "$cache/Image"
	mv "$work/root/bin/busybox" "$cache/busybox" 2>/dev/null ||
		mv "$work/root/usr/bin/busybox" "$cache/busybox"
	printf '%s\n' "$version" >"$cache/version"
	(cd "$cache" && sha256sum Image busybox version >packages.sha256.new)
	mv "$cache/packages.sha256.new" "$cache/packages.sha256"
}

# QEMU with all that it depends on, unpacked, and of that what it loads in one archive.
fetch_kvm() {
	read_lists
	say "fetching qemu-system-arm and what it depends on"
	apt apt-get -y --no-install-recommends --download-only install qemu-system-arm >"$work/log" 2>&1 ||
		skip "qemu-system-arm can't be fetched: $(reason "$work/log")"
	mkdir -p "$work/kvm"
	for package in "$work"/apt/cache/archives/*.deb; do
		dpkg-deb -x "$package" "$work/kvm" || skip "$(basename "$package") can't be unpacked"
	done
	say "building the user space for KVM"
	python3 "$here/mkkvm.py" "$work/kvm" "$cache" "$here/init-kvm" "$work/kvm.cpio"
	mv "$work/kvm.cpio" "$cache/"
	(cd "$cache" && sha256sum kvm.cpio >kvm.sha256)
	kvm_inputs >"$cache/kvm.inputs"
}

kvm_inputs() {
	sha256sum "$cache"/{Image,busybox,initramfs.cpio.gz} "$here"/{init-kvm,mkkvm.py,mkcpio.py} |
		cut -d' ' -f1
}

kvm_sound() {
	[ -s "$cache/kvm.sha256" ] && [ -s "$cache/kvm.inputs" ] &&
		[ "$(kvm_inputs)" = "$(cat "$cache/kvm.inputs")" ] &&
		(cd "$cache" && sha256sum --status -c kvm.sha256) 2>/dev/null
}

fetch_xen() {
	local xen
	read_lists
	xen=$(real_package xen-system-arm64 xen-hypervisor) || true
	[ -n "$xen" ] || skip "the package sources have no xen-system-arm64: $(reason "$work/log")"
	fetch_package "$xen"
	mv "$work/root/boot/${xen/hypervisor-/}" "$cache/xen"
	(cd "$cache" && sha256sum xen >xen.sha256)
}

xen_sound() {
	[ -s "$cache/xen.sha256" ] && (cd "$cache" && sha256sum --status -c xen.sha256) 2>/dev/null
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
	if ! python3 "$here/kallsyms.py" "$cache/Image" "$work/System.map"; then
		[ -n "${STRATA_APT_SOURCES:-}" ] || exit 1
		: >"$work/System.map" # another release's kernel: no names, then
	fi
	mv "$work/initramfs.cpio.gz" "$work/System.map" "$cache/"
	(cd "$cache" && sha256sum initramfs.cpio.gz System.map >made.sha256)
	made_inputs >"$cache/made.inputs"
}

refresh=0
check=0
kvm=0
xen=0
for arg in "$@"; do
	case $arg in
	--print-dir) printf '%s\n' "$cache"; exit 0 ;;
	--check) check=1 ;;
	--kvm) kvm=1 ;;
	--xen) xen=1 ;;
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
if [ $kvm = 1 ] && { [ $refresh = 1 ] || ! kvm_sound; }; then
	[ $check = 0 ] || skip "no kvm.cpio in $cache (tests/images/fetch.sh --kvm brings it)"
	fetch_kvm
fi
if [ $xen = 1 ] && { [ $refresh = 1 ] || ! xen_sound; }; then
	[ $check = 0 ] || skip "no Xen in $cache (tests/images/fetch.sh --xen brings it)"
	fetch_xen
fi
say "kernel $(cat "$cache/version") and initramfs are in $cache"
