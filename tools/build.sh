# ./dev build [PRESET] [TARGET...]
set -euo pipefail
. "$KURA_TREE/tools/lib.sh"
preset=${1:-release}
[ $# -gt 0 ] && shift
bash "$KURA_TREE/tools/setup.sh" build
# A clone elsewhere finds the same objects: paths below the tree are hashed relative to it.
export CCACHE_DIR=${CCACHE_DIR:-$KURA_CACHE/ccache} CCACHE_BASEDIR=$KURA_TREE CCACHE_NOHASHDIR=1
cd "$KURA_TREE"
if [ ! -e "build/$preset/build.ninja" ]; then
  cmake --preset "$preset" >"$KURA_CACHE/configure.log" || die "cmake failed: $KURA_CACHE/configure.log"
fi
targets=()
[ $# -gt 0 ] && targets=(--target "$@")
cmake --build "build/$preset" "${targets[@]}"
