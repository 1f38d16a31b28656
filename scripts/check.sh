#!/usr/bin/env bash
# gofmt, vet, staticcheck, modules as go.sum has them, and a tree that go generate leaves as it was.
set -euo pipefail
cd "$(dirname "$0")/.."
go=${GO:-go}
bad=$(gofmt -l firmware drivers hal ui)
[ -z "$bad" ] || { echo "gofmt wants to change:"; echo "$bad"; exit 1; }
$go vet ./...
GOARCH=arm GOARM=7 $go vet ./firmware/cmd/... ./drivers/...
$go tool staticcheck ./...
$go mod verify >/dev/null
before=$(git status --porcelain)
$go generate ./...
after=$(git status --porcelain)
[ "$before" = "$after" ] || { echo "go generate changed the tree:"; git status --short; exit 1; }
echo "check: all good"
