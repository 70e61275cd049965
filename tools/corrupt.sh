# ./dev corrupt [--count N] [--seed S] [--type T]: damage on the drives, within parity and beyond.
set -euo pipefail
. "$KURA_TREE/tools/lib.sh"
command -v python3 >/dev/null || bash "$KURA_TREE/tools/setup.sh" build
bash "$KURA_TREE/tools/build.sh" release kura >&2
export KURA_BINARY=${KURA_BINARY:-$release/kura}
exec env PYTHONDONTWRITEBYTECODE=1 python3 "$KURA_TREE/tests/corrupt/corrupt.py" "$@"
