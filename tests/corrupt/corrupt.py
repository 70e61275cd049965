"""./dev corrupt: damages everything that a node writes, and looks whether anybody ever gets a wrong byte.

Exit code 1: wrong bytes, damage that nobody found, or that stays. The drives as they were before the round are kept
with the list of what was done to them; --replay does it again.
"""

import argparse
import collections
import pathlib
import random
import shutil
import sys

sys.dont_write_bytecode = True
from campaign import WEIGHTS, Campaign, replay  # noqa: E402
from store import Wrong  # noqa: E402

GROUPS = {"view": [t for t in WEIGHTS if t.startswith("view-")], "all": list(WEIGHTS)}


def table(campaign: Campaign) -> str:
    kinds = sorted({kind for _, kind, _ in campaign.tally})
    rows = collections.defaultdict(collections.Counter)
    for (type_, kind, how), count in campaign.tally.items():
        rows[type_][kind] += count
        rows[type_]["= " + how] += count
    hows = sorted({"= " + how for _, _, how in campaign.tally})
    columns = kinds + hows
    lines = ["type          " + "".join(f"{c:>15}" for c in columns) + f"{'all':>8}"]
    for type_ in sorted(rows):
        lines.append(f"{type_:<14}" + "".join(f"{rows[type_][c]:>15}" for c in columns)
                     + f"{sum(rows[type_][k] for k in kinds):>8}")
    lines.append(f"{campaign.done} injections in {campaign.round} rounds; every one found or without effect, no wrong byte; "
                 f"{campaign.refusals} clean refusals on the way; beyond parity: {dict(campaign.beyond) or 'none'}")
    return "\n".join(lines)


def main() -> int:
    parser = argparse.ArgumentParser(prog="./dev corrupt", description=__doc__.splitlines()[0])
    parser.add_argument("--count", type=int, default=500, help="injections in all, those of earlier runs included (500)")
    parser.add_argument("--seconds", type=float, default=float("inf"), help="begin no round after so long")
    parser.add_argument("--seed", type=int, help="chosen and printed if not given")
    parser.add_argument("--type", action="append", choices=[*GROUPS, *WEIGHTS], help="only this type of file")
    parser.add_argument("--server", choices=("running", "stopped"), help="only under such a one; else both")
    parser.add_argument("--dir", type=pathlib.Path, help="store and state; the same one goes on where it ended")
    parser.add_argument("--replay", type=pathlib.Path, metavar="DIR", help="the failed round of this folder again")
    options = parser.parse_args()
    try:
        if options.replay:
            replay(options.replay)
            return 0
        seed = random.SystemRandom().randrange(1 << 31) if options.seed is None else options.seed
        base = options.dir or pathlib.Path(__file__).resolve().parents[2] / f"build/corrupt/{seed}"
        types = [t for name in options.type or ["all"] for t in GROUPS.get(name, [name])]
        base.mkdir(parents=True, exist_ok=True)
        print(f"seed {seed}, in {base}", flush=True)
        campaign = Campaign(base, seed, types, say=lambda line: print(line, flush=True))
        if options.server:
            campaign.running_share = float(options.server == "running")
        try:
            campaign.run(options.count, options.seconds)
        except Wrong:
            print(f"round {campaign.round} of seed {seed} fails; again with ./dev corrupt --replay {base}", file=sys.stderr)
            raise
        print(table(campaign))
        shutil.rmtree(base / "store", ignore_errors=True)
        shutil.rmtree(base / "before", ignore_errors=True)
        return 0
    except Wrong as wrong:
        print(f"FAILED: {wrong}", file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main())
