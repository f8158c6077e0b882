#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Builds the program that runs in the guest of `kho try`: build.sh OUT
set -eu
here=$(dirname "$0")
exec gcc -std=gnu11 -Wall -Wextra -Werror -O2 -ffreestanding -fno-builtin -fno-stack-protector -fno-tree-vectorize \
  -mgeneral-regs-only -fcf-protection=none -fno-asynchronous-unwind-tables -fno-pic -no-pie -static -nostdlib \
  -Wl,--build-id=none -Wl,-z,noexecstack -Wl,-z,norelro -Wl,-z,noseparate-code -s -o "$1" "$here/init.c"
