"""Closing lines of ./dev test: minutes of each part against the budget, then the counts.

Arguments: the folder with parts.txt and JUnit files, and the file with the budget table. Exits 1
when no test ran or a part failed without a failed test to show for it.
"""

import pathlib
import re
import sys
import xml.etree.ElementTree as ET


def budget(text: str) -> dict[str, float]:
    rows = re.findall(r"^\| *(\w+) *\| *([\d.]+) *\|", text, re.MULTILINE)
    return {name: float(minutes) for name, minutes in rows}


def counts(folder: pathlib.Path) -> tuple[int, int, int]:
    passed = failed = skipped = 0
    for file in sorted(folder.glob("*.xml")):
        for case in ET.parse(file).getroot().iter("testcase"):
            if case.find("failure") is not None or case.find("error") is not None:
                failed += 1
            elif case.find("skipped") is not None or case.get("status") in ("disabled", "notrun"):
                skipped += 1
            else:
                passed += 1
    return passed, failed, skipped


def main() -> int:
    folder, hacking = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2])
    allowed = budget(hacking.read_text())
    total = 0.0
    broken = []
    print(f"\n{'part':<10}{'minutes':>9}{'budget':>9}")
    for line in (folder / "parts.txt").read_text().splitlines():
        name, seconds, status = line.split()
        minutes = int(seconds) / 60
        total += minutes
        late = "  over" if name in allowed and minutes > allowed[name] else ""
        print(f"{name:<10}{minutes:>9.1f}{allowed.get(name, 0) or '-':>9}{late}")
        if int(status):
            broken.append(name)
    late = "  over" if total > allowed.get("total", total) else ""
    print(f"{'total':<10}{total:>9.1f}{allowed.get('total', 0) or '-':>9}{late}")
    passed, failed, skipped = counts(folder)
    if broken:
        print(f"failed: {', '.join(broken)}")
    failed = max(failed, len(broken))
    print(f"{passed} passed, {failed} failed" + (f", {skipped} skipped" if skipped else ""))
    return 1 if failed or not passed else 0


if __name__ == "__main__":
    sys.exit(main())
