"""./dev crash: kills a store, cuts its power or fills its drives, and compares it with a ledger.

Prints cycles, acknowledged calls and faults. A campaign goes on where it was interrupted; its state is
kept by form and seed. Exit codes: 0 ok, 1 a promise is broken (the store and the ledger are kept),
2 usage, 3 a fail point was never reached.
"""

import argparse
import os
import pathlib
import shutil
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent / "clients"), str(HERE.parent / "clients" / "drives")]

from check import Violation  # noqa: E402
from full_form import FullForm  # noqa: E402
from kill_form import KillForm  # noqa: E402
from power_form import PowerForm  # noqa: E402
from progress import Progress  # noqa: E402
from server import BINARY  # noqa: E402
from unplug_form import UnplugForm  # noqa: E402

FORMS = {"kill": KillForm, "power": PowerForm, "unplug": UnplugForm, "full": FullForm}
BROKEN, UNREACHED = 1, 3


class Parser(argparse.ArgumentParser):
    def error(self, message):
        self.exit(2, f"./dev crash: {message}; ./dev crash --help lists the arguments\n")


def arguments() -> argparse.Namespace:
    parser = Parser(prog="./dev crash", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cycles", type=int, default=100, help="in all, of this form and seed (100)")
    parser.add_argument("--form", choices=FORMS, default="kill", help="SIGKILL; loss of power, simulated or of a real process; full drives (kill)")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--point", help="form kill: every cycle at the fail points that begin so")
    parser.add_argument("--all-points", action="store_true", help="go on until every fail point was reached, for as many cycles again; then fail")
    parser.add_argument("--plant", choices=["log", "stripes"],
                        help="syncs of these do nothing, which must be found (unplug; power: log)")
    parser.add_argument("--again", action="store_true", help="begin anew, also where a campaign could go on")
    args = parser.parse_args()
    if (args.form, args.plant) not in [*((f, None) for f in FORMS), ("power", "log"), ("unplug", "log"), ("unplug", "stripes")]:
        parser.error("--plant is for form unplug, and for form power with the log")
    return args


def memory_folder() -> pathlib.Path:
    """For drives: a killed process loses nothing that it wrote, so they need no disk."""
    memory = pathlib.Path("/dev/shm")
    roomy = memory.is_dir() and shutil.disk_usage(memory).free > 4 << 30
    return memory if roomy else pathlib.Path(tempfile.gettempdir())


def keep(form, state: pathlib.Path, error: Exception):
    """What a broken promise leaves for a person."""
    kept = state / f"broken-{form.progress.cycles}"
    shutil.rmtree(kept, ignore_errors=True)
    kept.mkdir()
    for file in state.iterdir():
        if file.is_file():
            shutil.copy(file, kept)
    if form.drives.exists():
        shutil.copytree(form.drives, kept / "drives", ignore=shutil.ignore_patterns("ballast"))
    (kept / "violation.txt").write_text(f"{form.plan}\n{error}\n")
    print(f"The store, its log and the ledger: {kept}")


def main() -> int:
    args = arguments()
    cache = pathlib.Path(os.environ.get("KURA_CACHE", HERE.parents[1] / "build"))
    name = "-".join([args.form, str(args.seed), *filter(None, [args.point, args.plant])])
    state = cache / "crash" / name
    if args.again or args.plant:
        shutil.rmtree(state, ignore_errors=True)
    state.mkdir(parents=True, exist_ok=True)
    progress = Progress(state, BINARY)
    drives = memory_folder() / f"kura-crash-{os.getuid()}-{name}"
    form = FORMS[args.form](state, drives, args.seed, progress, args.point, args.plant)

    def report(now):
        if now.progress.cycles % 10 == 0 or now.progress.cycles == args.cycles:
            print(now.progress.line(args.cycles, len(now.all_points)), flush=True)

    def unreached():
        return [point for point in form.points if not progress.points[point]]

    try:
        form.run(args.cycles, report)
        while args.all_points and unreached() and progress.cycles < 2 * args.cycles:
            form.run(progress.cycles + 1, report)
    except Violation as error:
        if args.plant:
            form.close()
            print(f"the planted fault was found in cycle {progress.cycles}: {str(error)[:300]}")
            return 0
        print(f"BROKEN in cycle {progress.cycles} ({form.plan}):\n{error}")
        again = f"--form {args.form} --seed {args.seed}" + (f" --point {args.point}" if args.point else "")
        print(f"Again: ./dev crash --again {again} --cycles {progress.cycles + 1}")
        form.stop()
        keep(form, state, error)
        form.close()
        (state / "progress.json").unlink(missing_ok=True)  # Not to be gone on with.
        return BROKEN
    except KeyboardInterrupt:
        form.interrupted()
        progress.save()
        print(f"\ninterrupted after cycle {progress.cycles}; the same command goes on")
        return 130
    form.close()
    if args.plant:
        print(f"the planted fault was not found in {progress.cycles} cycles")
        return BROKEN
    print("nothing lost, nothing half-visible")
    if args.all_points and unreached():
        print(f"never reached: {', '.join(unreached())}")
        return UNREACHED
    return 0


if __name__ == "__main__":
    sys.exit(main())
