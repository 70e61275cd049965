# ./dev lint [--full]: source lint, arrows, format, then clang-tidy on the files that differ from
# main's upstream or the last commit (--full: on every file).
set -uo pipefail
. "$KURA_TREE/tools/lib.sh"
cd "$KURA_TREE" || exit 1
bash tools/setup.sh || exit 1
[ -e build/release/build.ninja ] || cmake --preset release >/dev/null || exit 1
failed=0
python3 tests/lint/source_lint.py . || failed=1
python3 tests/arrows/arrows.py . build/release/link_graph.txt || failed=1
bash tools/fmt.sh --check || failed=1

if [ "${1:-}" = --full ]; then
  files=$(git ls-files '*.cc')
else
  base=$(git rev-parse -q --verify '@{upstream}' || git rev-parse -q --verify HEAD~1 || git rev-parse HEAD)
  files=$( (git diff --name-only --diff-filter=d "$base" -- '*.cc' && git ls-files --others --exclude-standard '*.cc') | sort -u)
fi
# Generated protobuf headers must exist before clang-tidy can read what includes them.
ninja -C build/release -t targets all | sed -n 's/^\(.*\.pb\.h\): .*/\1/p' |
  xargs -r ninja -C build/release >/dev/null || exit 1
python3 tools/tidy_database.py build/release build/tidy
echo "$files" | grep -vE '^tests/|^$' | xargs -r -n 1 -P "$(nproc)" \
  clang-tidy-14 -p build/tidy --quiet 2>/dev/null || failed=1
exit $failed
