#!/usr/bin/env bash
# What `make image` and `make qemu` use of others: QEMU for ARM, U-Boot built for
# it, mkimage and mkenvimage, dtc, mkfs.ext4. No test needs them.
set -euo pipefail
packages=(qemu-system-arm u-boot-qemu u-boot-tools device-tree-compiler e2fsprogs dpkg apt)
missing=()
for p in "${packages[@]}"; do
	dpkg-query -W -f='${Status}' "$p" 2>/dev/null | grep -q 'install ok installed' || missing+=("$p")
done
if [ ${#missing[@]} -gt 0 ]; then
	sudo=""
	[ "$(id -u)" = 0 ] || sudo=sudo
	$sudo apt-get update -qq
	DEBIAN_FRONTEND=noninteractive $sudo apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
	echo "deps-image: installed ${missing[*]}"
fi
echo "deps-image: all there"
