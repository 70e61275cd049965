# ./dev fmt [--check]
set -euo pipefail
. "$KURA_TREE/tools/lib.sh"
command -v clang-format-14 >/dev/null || bash "$KURA_TREE/tools/setup.sh"
mode=-i
[ "${1:-}" = --check ] && mode='--dry-run --Werror'
git -C "$KURA_TREE" ls-files -z --cached --others --exclude-standard '*.h' '*.cc' |
  (cd "$KURA_TREE" && xargs -0 -r -n 32 -P "$(nproc)" sh -c \
    'for f; do [ ! -e "$f" ] || clang-format-14 '"$mode"' --style=file "$f" || exit 1; done' _)
