# ./dev bench [ARGS]
set -euo pipefail
. "$KURA_TREE/tools/lib.sh"
bash "$KURA_TREE/tools/build.sh" release kura_bench >&2
exec "$release/bench/kura_bench" "$@"
