"""The campaign's own eyes: it reads Kura's files as they are, stays within parity, and sees what is not right again."""

import pathlib
import random
import shutil
import sys
import tempfile
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).parent))
from damage import KINDS, Planner, Write, apply, is_right  # noqa: E402
from formats import BLOCK, Index, UnknownFile  # noqa: E402

GOLDEN = pathlib.Path(__file__).resolve().parents[1] / "golden"


class Drives(unittest.TestCase):
    """Three drives with the golden files: a set of 2 + 1, a journal on three mirrors."""

    def setUp(self):
        self.folder = pathlib.Path(tempfile.mkdtemp())
        self.addCleanup(shutil.rmtree, self.folder)
        self.drives = [self.folder / f"d{i}" for i in range(3)]
        for i, drive in enumerate(self.drives):
            for name in ("journal", "sets", "view"):
                (drive / name).mkdir(parents=True)
            for name in ("drive", "drive.copy"):
                shutil.copy(GOLDEN / "disk/drive", drive / name)
            shutil.copy(GOLDEN / "disk" / f"member{i}.seg", drive / "sets/0000002a.seg")
            shutil.copy(GOLDEN / "journal/mirrors", drive / "journal/mirrors")
            shutil.copy(GOLDEN / "journal/0000000000000000.seg", drive / "journal/0000000000000000.seg")
            (drive / "view/000008.sst").write_bytes(bytes(range(256)) * 64)
        self.index = Index(self.drives)

    def test_places_are_those_of_the_formats(self):
        stripes = self.index.of_type("stripe")
        self.assertEqual(min(p.start for p in stripes), BLOCK)
        self.assertTrue(all(self.index.copies[p.unit] == 3 for p in stripes))
        records = sorted(p.start for p in self.index.of_type("journal") if p.drive == 0)
        self.assertEqual(records[:3], [0, 4096, 4224])
        self.assertEqual({len(self.index.of_type(t)) for t in ("set-header", "mirror-set", "view-sst")}, {3})

    def test_a_file_of_no_known_type_is_refused(self):
        (self.drives[1] / "sets/index.db").write_bytes(b"new")
        with self.assertRaisesRegex(UnknownFile, "sets/index.db"):
            Index(self.drives)

    def test_what_should_be_empty_is_refused_with_content(self):
        (self.drives[1] / "view/000004.log").write_bytes(b"")
        Index(self.drives)
        (self.drives[1] / "view/000004.log").write_bytes(b"a record")
        with self.assertRaises(UnknownFile):
            Index(self.drives)

    def test_any_plan_stays_within_parity(self):
        types = ["stripe", "set-header", "journal", "mirror-set", "identity"]
        for seed in range(20):
            chance = random.Random(seed)
            planner = Planner(chance, self.index, {})
            planned = [i for i in (planner.plan(chance.choice(KINDS), chance.choice(types)) for _ in range(300)) if i]
            self.assertGreater(len(planned), 5)
            copy = self.folder / str(seed)
            drives = [copy / d.name for d in self.drives]
            for old, new in zip(self.drives, drives):
                shutil.copytree(old, new)
            for injection in planned:
                apply(drives, injection.writes)
            wrong: dict = {}
            for (drive, path), places in self.index.places.items():
                for place in places:
                    if not is_right(drives, place, self.index.data[drive, path]):
                        member = path if place.unit[0] == "identity" else drive
                        wrong.setdefault(place.unit, set()).add(member)
            self.assertEqual({place for i in planned for place in i.places},
                             {p for ps in self.index.places.values() for p in ps
                              if not is_right(drives, p, self.index.data[p.drive, p.path])})
            for unit, members in wrong.items():
                self.assertLessEqual(len(members), self.index.allowed(unit), unit)

    def test_a_place_is_right_only_with_all_its_bytes(self):
        place = self.index.of_type("stripe")[0]
        data = self.index.data[place.drive, place.path]
        self.assertTrue(is_right(self.drives, place, data))
        for at in (place.start, place.end - 1):
            apply(self.drives, [Write(place.drive, place.path, at, bytes([data[at] ^ 1]))])
            self.assertFalse(is_right(self.drives, place, data))
            apply(self.drives, [Write(place.drive, place.path, at, data[at:at + 1])])
        apply(self.drives, [Write(place.drive, place.path, place.end - 1, None)])
        self.assertFalse(is_right(self.drives, place, data))


if __name__ == "__main__":
    unittest.main()
