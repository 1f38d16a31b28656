#!/usr/bin/env bash
# Runs the copy-and-paste blocks of the README that end by themselves: the
# technician's and the field engineer's; `make run` is served for a moment.
set -euo pipefail
cd "$(dirname "$0")/.."
block() { # the first sh block behind a heading
	awk -v h="### $1" '$0 == h {on=1} on && /^```sh$/ {f=1; next} f && /^```$/ {exit} f' README.md
}
for door in "The technician" "The field engineer"; do
	echo "== README: $door"
	cmds=$(block "$door")
	[ -n "$cmds" ] || { echo "no block for $door"; exit 1; }
	rm -rf /tmp/swipewell-demo /tmp/swipewell-log
	bash -c "set -em; $cmds" | tail -5
done
echo "== README: The cashier"
make run >/tmp/swipewell-run.log 2>&1 &
pid=$!
for _ in $(seq 60); do
	if curl -fsS -o /dev/null http://127.0.0.1:8583/ 2>/dev/null; then ok=1; break; fi
	sleep 1
done
pkill -INT -P "$pid" 2>/dev/null || true
wait "$pid" 2>/dev/null || true
[ "${ok:-0}" = 1 ] || { echo "make run served no page"; cat /tmp/swipewell-run.log; exit 1; }
rm -rf /tmp/swipewell-demo /tmp/swipewell-log /tmp/swipewell-run.log
echo "README: all doors open"
