#!/bin/bash
# Makes the exports of firmware/doc/cases anew from the scripts beside them, and the
# pages that the tests compare.
set -eu
cd "$(dirname "$0")/.."
export CASES="$PWD/firmware/doc/cases"
"${BIN:-bin}/posbench" run --posd "${BIN:-bin}/posd" "$CASES"/*.txtar
chmod 644 "$CASES"/*.swjx
go test ./firmware/cmd/postool -run 'TestStoryGolden' -update
go test ./firmware/cmd/postool -run 'TestCases'
