#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Builds a kernel that `kho try` can boot, from the source that Debian packages: docs/kernels.md.
#
#	build.sh [-s PACKAGE] [-r SUITE] [-w FOLDER] [-j JOBS] [-o BZIMAGE] [-n]
#
# -s	package with the source, default linux-source-7.3
# -r	Debian suite that has it, default trixie-backports
# -w	folder to work in, about 3 GiB, default build/kernel; what is in it already is not fetched again
# -j	jobs of make, default one a processor
# -o	file to write, default FOLDER/bzImage
# -n	stop once the kernel is configured
#
# Nothing is installed and no list of the system's apt is touched: the package is fetched with lists of its own.
set -eu

package=linux-source-7.3
suite=trixie-backports
here=$(cd "$(dirname "$0")" && pwd)
work=$here/../../build/kernel
jobs=$(nproc)
out=
only_config=
while getopts s:r:w:j:o:n option; do
  case $option in
    s) package=$OPTARG ;;
    r) suite=$OPTARG ;;
    w) work=$OPTARG ;;
    j) jobs=$OPTARG ;;
    o) out=$OPTARG ;;
    n) only_config=yes ;;
    *) exit 2 ;;
  esac
done

missing=
for program in apt-get dpkg-deb gcc make flex bison bc xz; do
  command -v "$program" >/dev/null || missing="$missing $program"
done
for header in libelf.h:libelf-dev openssl/opensslv.h:libssl-dev; do
  echo "#include <${header%:*}>" | gcc -E - >/dev/null 2>&1 || missing="$missing ${header#*:}"
done
if [ -n "$missing" ]; then
  echo "missing:$missing; apt install build-essential flex bison bc xz-utils libelf-dev libssl-dev" >&2
  exit 2
fi

mkdir -p "$work"
work=$(cd "$work" && pwd)
out=${out:-$work/bzImage}

# The package, with apt's own signature checks, from lists that live in the work folder.
deb=$(find "$work" -maxdepth 1 -name "${package}_*.deb" | head -n 1)
if [ -z "$deb" ]; then
  apt=$work/apt
  mkdir -p "$apt/lists/partial" "$apt/cache/archives/partial" "$apt/empty"
  : >"$apt/status"
  keyring=/usr/share/keyrings/debian-archive-keyring.gpg
  echo "deb [signed-by=$keyring] http://deb.debian.org/debian $suite main" >"$apt/sources.list"
  in_work() {
    apt-get -qq -o Dir::Etc::SourceList="$apt/sources.list" -o Dir::Etc::SourceParts="$apt/empty" \
      -o Dir::State="$apt" -o Dir::State::Lists="$apt/lists" -o Dir::State::status="$apt/status" \
      -o Dir::Cache="$apt/cache" -o APT::Sandbox::User=root "$@"
  }
  in_work update
  (cd "$work" && in_work download "$package")
  deb=$(find "$work" -maxdepth 1 -name "${package}_*.deb" | head -n 1)
fi
echo "source: $(basename "$deb")"

source=$work/$package
if [ ! -f "$source/Makefile" ]; then
  dpkg-deb --fsys-tarfile "$deb" | tar -x -C "$work" --wildcards './usr/src/linux-source-*.tar.xz'
  mkdir -p "$source"
  tar -xJf "$work/usr/src/$package.tar.xz" -C "$source" --strip-components=1
  rm -r "$work/usr"
fi

objects=$work/objects
mkdir -p "$objects"
run() { nice -n 19 make -s -C "$source" O="$objects" ARCH=x86_64 "$@"; }
cp "$here/kho.config" "$objects/.config"
run olddefconfig
for option in KEXEC_HANDOVER LIVEUPDATE SERIAL_8250_CONSOLE BLK_DEV_INITRD; do
  if ! grep -qx "CONFIG_$option=y" "$objects/.config"; then
    echo "CONFIG_$option could not be set: no kernel for kho try" >&2
    exit 1
  fi
done
[ -n "$only_config" ] && exit 0

run -j"$jobs" bzImage
cp "$objects/arch/x86/boot/bzImage" "$out"
echo "kernel: $out, $(wc -c <"$out") bytes"
