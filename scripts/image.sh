#!/usr/bin/env bash
# A bootable disk for a board, in out/image/BOARD: see firmware/doc/image.md.
set -euo pipefail
cd "$(dirname "$0")/.."
exec bin/posbench image --board "$1"
