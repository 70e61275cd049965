# ./dev sim [ARGS]
set -euo pipefail
. "$KURA_TREE/tools/lib.sh"
bash "$KURA_TREE/tools/build.sh" release kura_sim >&2
exec "$release/sim/kura_sim" "$@"
