#!/usr/bin/env bash
# Every fuzz target in turn, for the time given each. Go minimises each input that is of
# interest for up to a minute, which would be all of the time: ten tries are enough.
set -euo pipefail
cd "$(dirname "$0")/.."
go=${GO:-go}
time=${1:-5s}
targets=$(grep -rlE '^func Fuzz[A-Z]' --include='*_test.go' . | sort)
n=$(grep -rhE '^func Fuzz[A-Z]' --include='*_test.go' . | wc -l)
i=0
for f in $targets; do
	dir=$(dirname "$f")
	for name in $(sed -nE 's/^func (Fuzz[A-Za-z0-9_]*)\(.*/\1/p' "$f"); do
		i=$((i + 1))
		echo "[$i/$n] $dir $name, $time each" >&2
		$go test "$dir" -run '^$' -fuzz "^$name\$" -fuzztime "$time" -fuzzminimizetime 10x -parallel 2 | tail -1
	done
done
