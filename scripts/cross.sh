#!/usr/bin/env bash
# Every binary for each target, stripped, without cgo; prints the sizes.
set -euo pipefail
cd "$(dirname "$0")/.."
go=${GO:-go}
export CGO_ENABLED=0 GOOS=linux
for target in arm/7 arm64 amd64; do
	export GOARCH=${target%%/*} GOARM=7
	out=out/${target/\//v}
	mkdir -p "$out"
	for cmd in "$@"; do
		$go build -trimpath -ldflags '-s -w' $(cat scripts/gcflags) -o "$out/" "./firmware/cmd/$cmd"
		printf '%-8s %-9s %6.2f MB\n' "${target/\//v}" "$cmd" "$(stat -c %s "$out/$cmd" | awk '{print $1/1e6}')"
	done
done
