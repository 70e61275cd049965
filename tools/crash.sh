# ./dev crash [--cycles N] [--form kill|power|full] [--seed S] ...: tests/crash/campaign.py
# ./dev crash test [--full]: the short campaigns that ./dev test runs, or their longer form
set -euo pipefail
. "$KURA_TREE/tools/lib.sh"
export KURA_BINARY=${KURA_BINARY:-$release/kura} PYTHONDONTWRITEBYTECODE=1
campaign() { python3 "$KURA_TREE/tests/crash/campaign.py" "$@"; }
python3 -c '' 2>/dev/null || bash "$KURA_TREE/tools/setup.sh" build
if [ "$*" != --help ] && [ "$*" != -h ]; then
  bash "$KURA_TREE/tools/build.sh" release kura sim/kura_sim >&2
fi
[ "${1:-}" = test ] || { campaign "$@" && exit || exit $?; }

if [ "${2:-}" = --full ]; then
  campaign --again --seed 7 --form kill --cycles 400 --all-points
  campaign --again --seed 7 --form power --cycles 2000
  campaign --again --seed 7 --form unplug --cycles 200
  campaign --again --seed 7 --form full --cycles 60
else
  campaign --again --seed 7 --form kill --cycles 14
  campaign --again --seed 7 --form power --cycles 60
  campaign --again --seed 7 --form unplug --cycles 6
  campaign --form unplug --plant log --cycles 10
  campaign --form unplug --plant stripes --cycles 10
  campaign --again --seed 7 --form full --cycles 4
fi
