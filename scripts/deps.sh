#!/usr/bin/env bash
# The Debian packages that tests use: a browser for the bench page, fonts for
# its Chinese words, a PC/SC daemon with a virtual reader (tests run it in
# namespaces of its own; the service itself is not needed), a sender of YMODEM
# and an LZMA of others. Tests skip, and say so, where they are missing.
set -euo pipefail
packages=(chromium fonts-wqy-microhei unifont pcscd vsmartcard-vpcd iproute2 lrzsz xz-utils)
missing=()
for p in "${packages[@]}"; do
	dpkg-query -W -f='${Status}' "$p" 2>/dev/null | grep -q 'install ok installed' || missing+=("$p")
done
[ ${#missing[@]} -eq 0 ] && { echo "deps: all there"; exit 0; }
sudo=""
[ "$(id -u)" = 0 ] || sudo=sudo
$sudo apt-get update -qq
DEBIAN_FRONTEND=noninteractive $sudo apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
echo "deps: installed ${missing[*]}"
