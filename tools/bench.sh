# ./dev bench [ARGS]
set -euo pipefail
. "$KURA_TREE/tools/lib.sh"
if [ ! -e "$KURA_TREE/bench/CMakeLists.txt" ]; then
  echo "./dev bench: not available yet" >&2
  exit 2
fi
bash "$KURA_TREE/tools/build.sh" release kura_bench >&2
exec "$release/bench/kura_bench" "$@"
