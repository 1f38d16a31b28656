#!/usr/bin/env bash
# All tests. A test whose tool is missing skips with "needs TOOL"; the summary
# names each, and under CI=true a skipped test is a failure.
set -uo pipefail
cd "$(dirname "$0")/.."
go=${GO:-go}
log=$(mktemp) || exit 1
trap 'rm -f "$log"' EXIT
start=$SECONDS
$go test -json -timeout 12m "${@:-./...}" >"$log" 2>&1
rc=$?
CGO_ENABLED=0 $go run ./firmware/cmd/posbench/testsum "$log" || rc=1
echo "took $((SECONDS - start)) s"
exit $rc
