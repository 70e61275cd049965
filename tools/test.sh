# ./dev test [--full]          everything, timed against the budget in HACKING.md
# ./dev test clients|drives|attacks A  those pytest suites alone, with pytest's arguments
# ./dev test NAME...           the C++ tests whose names match
set -uo pipefail
. "$KURA_TREE/tools/lib.sh"
cd "$KURA_TREE" || exit 1
export KURA_BINARY=${KURA_BINARY:-$release/kura}
reports=$KURA_TREE/build/reports

suite() {  # suite VENV NAME PYTEST-ARGS...
  local venv=$1 name=$2
  shift 2
  PATH=$KURA_CACHE/bin:$KURA_CACHE/venv/$venv/bin:$PATH PYTHONDONTWRITEBYTECODE=1 \
    "$KURA_CACHE/venv/$venv/bin/pytest" -q -p no:cacheprovider --rootdir tests/clients \
    --junitxml "$reports/$name.xml" "$@"
}
run_unit() { ctest --test-dir "$release" -j2 --output-on-failure --output-junit "$reports/unit.xml" "$@"; }
run_clients() {
  local new=0 old=0
  suite clients clients tests/clients --ignore tests/clients/drives --ignore tests/clients/attacks "$@" || new=$?
  suite boto3_old boto3_old tests/clients/test_boto3.py "$@" || old=$?
  # 5: the arguments chose tests of the other suite only.
  [ $new -eq 0 ] && [ $old -eq 5 ] && old=0
  [ $old -eq 0 ] && [ $new -eq 5 ] && new=0
  [ $new -eq 0 ] && [ $old -eq 0 ]
}
run_drives() { suite clients drives tests/clients/drives "$@"; }
run_crash() { bash tools/crash.sh test "$@"; }
run_attacks() { suite clients attacks tests/clients/attacks "$@"; }
# A few hundred injections, the same each time; with --full more, chosen anew. A failure prints the seed and keeps the drives.
run_corrupt() {
  local amount=(--seed 1 --count 400 --seconds 50)
  [ $# -eq 0 ] || amount=(--count 2000 --seconds 900)
  rm -rf build/corrupt/test
  bash tools/corrupt.sh --dir build/corrupt/test "${amount[@]}"
}
run_asan() {
  bash tools/build.sh asan && ctest --test-dir build/asan -j2 --output-on-failure \
    --output-junit "$reports/asan.xml"
}
run_fuzz() { bash tools/fuzz.sh --seconds 60; }

full=()
case ${1:-} in
  clients | drives | attacks)
    name=$1
    shift
    bash tools/setup.sh && bash tools/build.sh release kura && mkdir -p "$reports" && "run_$name" "$@"
    exit
    ;;
  '') ;;
  --full) full=(--full) ;;
  -*) die "usage: ./dev test [--full] | clients ... | drives ... | attacks ... | NAME..." ;;
  *)
    bash tools/build.sh release && mkdir -p "$reports" && run_unit -R "$(IFS='|' && echo "$*")"
    exit
    ;;
esac

rm -rf "$reports"
mkdir -p "$reports"
failed=0
part() {  # part NAME COMMAND...: runs it, and notes its seconds and whether it failed.
  local name=$1 begun=$SECONDS status=0
  shift
  say "== $name"
  "$@" || status=$?
  echo "$name $((SECONDS - begun)) $status" >>"$reports/parts.txt"
  [ $status -eq 0 ] || failed=1
  return $status
}
if part setup bash tools/setup.sh && part build bash tools/build.sh release; then
  part unit run_unit
  part clients run_clients "${full[@]}"
  part drives run_drives "${full[@]}"
  part crash run_crash "${full[@]}"
  part attacks run_attacks "${full[@]}"
  part corrupt run_corrupt "${full[@]}"
  [ ${#full[@]} -eq 0 ] || part lint bash tools/lint.sh --full
  [ ${#full[@]} -eq 0 ] || part asan run_asan
  [ ${#full[@]} -eq 0 ] || part fuzz run_fuzz
fi
python3 tools/report.py "$reports" HACKING.md || failed=1
exit $failed
