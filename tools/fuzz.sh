# ./dev fuzz [TARGET...] [--seconds N]   campaigns of N seconds (60) for each target (all of them)
# ./dev fuzz [TARGET...] --total N       until each has run for N seconds in all, interruptions included
# ./dev fuzz [TARGET...] --store         minimises what the campaigns found into tests/fuzz/corpus
# ./dev fuzz [TARGET...] --coverage      lines of the source files that the stored corpus reaches
# A campaign goes on where the last one ended: its corpus is $KURA_CACHE/fuzz/TARGET, the time it has had
# $KURA_CACHE/fuzz/seconds/TARGET.
set -euo pipefail
. "$KURA_TREE/tools/lib.sh"
cd "$KURA_TREE"
sources=tests/fuzz
binaries=build/fuzz/tests/fuzz
llvm=/usr/lib/llvm-16/bin
seconds=60 total=0 mode=run
targets=()
while [ $# -gt 0 ]; do
  case $1 in
    --seconds)
      seconds=${2:-}
      shift
      ;;
    --total)
      total=${2:-}
      [[ $total =~ ^[1-9][0-9]*$ ]] || die "fuzz: --total takes a number of seconds"
      shift
      ;;
    --store | --coverage) mode=${1#--} ;;
    -*) die "usage: ./dev fuzz [TARGET...] [--seconds N | --total N | --store | --coverage]" ;;
    *) targets+=("$1") ;;
  esac
  shift
done
[[ $seconds =~ ^[1-9][0-9]*$ ]] || die "fuzz: --seconds takes a number of seconds"
all=$(sed -nE 's/^fuzz_target\((\w+) .*/\1/p' $sources/CMakeLists.txt)
for target in "${targets[@]}"; do
  grep -qx "$target" <<<"$all" || die "fuzz: no target '$target'; there are: ${all//$'\n'/ }"
done
[ ${#targets[@]} -gt 0 ] || mapfile -t targets <<<"$all"

# A finding of any sanitizer ends the run. Debian's libraries are not instrumented.
export ASAN_OPTIONS=abort_on_error=1:detect_leaks=1
export UBSAN_OPTIONS=halt_on_error=1:print_stacktrace=1
limits=(-timeout=1 -rss_limit_mb=1024 -malloc_limit_mb=64)

build() {  # build PRESET
  bash tools/setup.sh fuzz
  bash tools/build.sh "$1" "${targets[@]/#/fuzz_}" >&2
  python3 -B $sources/make_seeds.py "$KURA_CACHE/fuzz/seeds"
}

# The time that a target has had, over all campaigns.
spent() { cat "$KURA_CACHE/fuzz/seconds/$1" 2>/dev/null || echo 0; }
spend() {  # spend TARGET SECONDS
  mkdir -p "$KURA_CACHE/fuzz/seconds"
  echo $(($(spent "$1") + $2)) >"$KURA_CACHE/fuzz/seconds/$1"
}

# Short campaigns, target after target, until each has had its time: an interrupted one loses minutes.
campaigns() {
  local target left rest=1
  while [ $rest -eq 1 ]; do
    rest=0
    for target in "${targets[@]}"; do
      left=$((total - $(spent "$target")))
      [ $left -gt 0 ] || continue
      rest=1
      seconds=$((left < 300 ? left : 300))
      campaign "$target" || return 1
    done
  done
}

# A run of one target until its time is over. An input that was slow once, on a machine that is busy
# elsewhere, and is not when it runs alone is no finding.
campaign() {
  local target=$1 corpus=$KURA_CACHE/fuzz/$1 crashes=$KURA_CACHE/fuzz/crashes/$1 begun=$SECONDS left found log
  local dictionary=$sources/dictionaries/$1.dict extra=()
  mkdir -p "$corpus" "$crashes" "$KURA_CACHE/fuzz/logs"
  log=$KURA_CACHE/fuzz/logs/$target.log
  [ ! -e "$dictionary" ] || extra=(-dict="$dictionary")
  while left=$((seconds - SECONDS + begun)) && [ $left -gt 0 ]; do
    if nice -n 10 "$binaries/fuzz_$target" "$corpus" "$sources/corpus/$target" "$KURA_CACHE/fuzz/seeds/$target" \
      "${limits[@]}" "${extra[@]}" -max_total_time=$left -max_len=8192 -print_final_stats=1 \
      -artifact_prefix="$crashes/" >"$log" 2>&1; then
      break
    fi
    found=$(sed -nE 's/.*Test unit written to (.*)/\1/p' "$log" | tail -1)
    if [[ $(basename "$found") == timeout-* ]] && "$binaries/fuzz_$target" "$found" -timeout=1 >/dev/null 2>&1; then
      rm -f "$found"
      continue
    fi
    grep -E 'invariant broken|runtime error|ERROR: |SUMMARY' "$log" | head -5 >&2 || true
    echo "$target: FOUND ${found:-nothing to replay; see $log}"
    echo "  replay it: $binaries/fuzz_$target ${found:-...}"
    echo "  keep it as a test: cp ${found:-...} $sources/regressions/$target/"
    return 1
  done
  spend "$target" $seconds
  echo "$target: $(sed -nE 's/^stat::number_of_executed_units: *//p' "$log") inputs," \
    "$(sed -nE 's/.* (cov: [0-9]+ ft: [0-9]+ corp: [0-9]+).*/\1/p' "$log" | tail -1), nothing found;" \
    "$(spent "$target") s in all"
}

# The fewest inputs that reach what all of them reach, by content.
store() {
  local target=$1 fresh kept=$sources/corpus/$1
  fresh=$(mktemp -d)
  mkdir -p "$kept" "$KURA_CACHE/fuzz/$target"
  "$binaries/fuzz_$target" -set_cover_merge=1 -max_len=8192 "$fresh" "$kept" "$KURA_CACHE/fuzz/seeds/$target" \
    "$KURA_CACHE/fuzz/$target" >"$KURA_CACHE/fuzz/store.log" 2>&1 || die "fuzz: $KURA_CACHE/fuzz/store.log"
  rm -rf "$kept"
  mv "$fresh" "$kept"
  chmod 755 "$kept"
  echo "$target: $(find "$kept" -type f | wc -l) inputs, $(cat "$kept"/* | wc -c) bytes"
}

coverage() {
  local target objects=()
  rm -rf build/coverage/profiles
  mkdir -p build/coverage/profiles
  for target in "${targets[@]}"; do
    LLVM_PROFILE_FILE=build/coverage/profiles/$target.profraw \
      build/coverage/tests/fuzz/fuzz_"$target" "$sources/corpus/$target" >/dev/null
    objects+=(-object "build/coverage/tests/fuzz/fuzz_$target")
  done
  $llvm/llvm-profdata merge -o build/coverage/all.profdata build/coverage/profiles/*.profraw
  $llvm/llvm-cov report -instr-profile build/coverage/all.profdata "${objects[@]}" \
    -ignore-filename-regex='(/usr/|\.pb\.|tests/|build/)' -show-region-summary=false -show-branch-summary=false
}

failed=0
case $mode in
  run)
    build fuzz
    mkdir -p "${targets[@]/#/$sources/corpus/}"
    if [ $total -gt 0 ]; then
      campaigns || failed=1
    else
      for target in "${targets[@]}"; do campaign "$target" || failed=1; done
    fi
    ;;
  store)
    build fuzz
    for target in "${targets[@]}"; do store "$target"; done
    ;;
  coverage)
    build coverage
    coverage
    ;;
esac
exit $failed
