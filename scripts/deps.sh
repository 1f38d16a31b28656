#!/usr/bin/env bash
# What tests use of others. Debian packages: a browser for the bench page, fonts
# for its Chinese words, a PC/SC daemon with a virtual reader (tests run it in
# namespaces of its own; the service itself is not needed), a sender of YMODEM, a
# terminal program and an LZMA of others. From Python's index, into out/smpmgr: a
# client of SMP.
# Tests skip, and say so, where they are missing; under CI=true that fails.
set -euo pipefail
cd "$(dirname "$0")/.."
smpmgr=smpmgr==0.19.1
packages=(chromium fonts-wqy-microhei unifont pcscd vsmartcard-vpcd iproute2 lrzsz picocom xz-utils)
installed() { dpkg-query -W -f='${Status}' "$1" 2>/dev/null | grep -q 'install ok installed'; }
# smpmgr wants Python 3.11 or newer, with venv.
if ! python3 -c 'import sys, ensurepip, venv; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
	packages+=(python3 python3-venv)
fi
missing=()
for p in "${packages[@]}"; do
	installed "$p" || missing+=("$p")
done
if [ ${#missing[@]} -gt 0 ]; then
	sudo=""
	[ "$(id -u)" = 0 ] || sudo=sudo
	$sudo apt-get update -qq
	DEBIAN_FRONTEND=noninteractive $sudo apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
	echo "deps: installed ${missing[*]}"
fi
if ! out/smpmgr/bin/smpmgr --help >/dev/null 2>&1; then
	rm -rf out/smpmgr
	python3 -m venv out/smpmgr
	for try in 1 2 3; do
		out/smpmgr/bin/pip install -q --disable-pip-version-check "$smpmgr" && break
		[ $try -lt 3 ] || { echo "deps: $smpmgr could not be installed" >&2; exit 1; }
		sleep 5
	done
	echo "deps: installed $smpmgr in out/smpmgr"
fi
echo "deps: all there"
