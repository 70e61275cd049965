# ./dev bench [ARGS]: bench.py builds the release first, once it has understood its arguments.
set -euo pipefail
. "$KURA_TREE/tools/lib.sh"
command -v python3 >/dev/null || bash "$KURA_TREE/tools/setup.sh" build
exec env PYTHONDONTWRITEBYTECODE=1 python3 "$KURA_TREE/bench/bench.py" "$@"
