"""The oracle judged by stores that are wrong in known ways, and the table of fail points by the code."""

import copy
import pathlib
import re
import sys
import tempfile
import unittest

HERE = pathlib.Path(__file__).resolve().parent
TREE = HERE.parents[1]
sys.path[:0] = [str(HERE.parent / "clients")]

from check import Check, Violation  # noqa: E402
from ledger import Ledger, Truth  # noqa: E402
from s3_calls import content, multipart_etag, value_of  # noqa: E402
from wire import Answer  # noqa: E402
from writer import BUCKET  # noqa: E402


class Model:
    """A store in memory, in place of S3Calls. What it answers may be spoilt."""

    def __init__(self):
        self.objects: dict[str, tuple[bytes, str]] = {}
        self.open: dict[str, tuple[str, dict]] = {}
        self.buckets = {BUCKET}
        self.counters: dict[str, int] = {}
        self.unlisted: set[str] = set()

    def put(self, key: str, data: bytes, etag: str | None = None):
        self.objects[key] = (data, value_of(data, etag)["etag"])

    def ask(self, method: str, path: str) -> Answer:
        bucket, _, key = path[1:].partition("/")
        if not key:
            return Answer(200 if bucket in self.buckets else 404, {}, b"")
        if key not in self.objects:
            return Answer(404, {}, b"")
        data, etag = self.objects[key]
        return Answer(200, {"etag": f'"{etag}"', "content-length": str(len(data))}, data if method == "GET" else b"")

    def listing(self, bucket: str, page: int) -> dict:
        return {key: {"etag": etag, "size": len(data)} for key, (data, etag) in self.objects.items()
                if key not in self.unlisted}

    def uploads(self, bucket: str) -> dict:
        return {upload: key for upload, (key, _) in self.open.items()}

    def parts(self, path: str, upload: str) -> dict:
        return {n: {"etag": v["etag"], "size": v["size"]} for n, v in self.open[upload][1].items()}

    def admin(self, method: str, path: str) -> dict:
        right = {"objects": len(self.objects), "bytes": sum(len(d) for d, _ in self.objects.values()),
                 "uploads": len(self.open)}
        return {"items": [{"name": BUCKET, **right, **self.counters}]}

    def close(self):
        pass


class ModelCheck(Check):
    def patient_calls(self):
        return self.endpoint


OLD, NEW, PART, OTHER = (content(name, 3000) for name in ("old", "new", "part", "other"))
PARTED = value_of(PART, multipart_etag([value_of(PART)["etag"]]))


class OracleTest(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)
        self.model = Model()
        self.ledger = self.ledger_again()
        self.addCleanup(lambda: self.ledger.close())
        for key in ("a", "b"):
            self.acknowledged("put", keys=[key], value=value_of(OLD))
            self.model.put(key, OLD)
        self.acknowledged("bucket", bucket="side-0", value=True)
        self.model.buckets.add("side-0")
        self.acknowledged("create", keys=["u"], answer={"upload": "id"})
        self.acknowledged("part", upload="id", part="1", value=value_of(PART))
        self.model.open["id"] = ("u", {"1": value_of(PART)})

    def ledger_again(self) -> Ledger:
        path = pathlib.Path(self.folder.name)
        return Ledger(path, 0, Truth(path / "truth.json"))

    def acknowledged(self, op: str, answer=None, **fields):
        self.ledger.acknowledge(self.ledger.ask(op, **fields), **(answer or {}))

    def check(self):
        ModelCheck(self.model, self.ledger.truth, [self.ledger], patience_s=0).run()

    def broken(self, words: str):
        with self.assertRaisesRegex(Violation, words):
            self.check()

    def test_right_store(self):
        self.check()
        self.check()

    def test_lost_object(self):
        del self.model.objects["a"]
        self.broken("a: found None")

    def test_older_value(self):
        self.acknowledged("put", keys=["a"], value=value_of(NEW))
        self.broken("a: found")

    def test_wrong_bytes_under_the_right_etag(self):
        self.model.put("a", OTHER, value_of(OLD)["etag"])
        self.broken("a: found")

    def test_deleted_object_is_back(self):
        self.acknowledged("delete", keys=["a"], value=None)
        self.broken("a: found")

    def test_object_that_nobody_wrote(self):
        self.model.put("z", OTHER)
        self.broken("z: found")

    def test_found_by_get_and_not_by_list(self):
        self.model.unlisted = {"a"}
        self.broken("a is not listed")

    def test_counters(self):
        for name in ("objects", "bytes", "uploads"):
            self.model.counters = {name: 77}
            self.broken("counters")

    def test_lost_upload_and_part(self):
        spoilt = copy.deepcopy(self.model.open)
        self.model.open["id"][1].clear()
        self.broken("part 1 of upload id")
        self.model.open.clear()
        self.broken("upload id of u is gone")
        self.model.open = {**spoilt, "more": ("u", {})}
        self.broken("nobody began it")

    def test_lost_bucket(self):
        self.model.buckets.remove("side-0")
        self.broken("bucket side-0")

    def test_open_question_allows_both_values_and_no_third(self):
        self.ledger.ask("put", keys=["a"], value=value_of(NEW))
        self.model.put("a", OTHER)
        self.broken("a: found")
        self.model.put("a", NEW)
        self.check()
        self.model.put("a", OLD)  # Settled: it was NEW.
        self.broken("a: found")

    def test_completed_upload_is_an_object_or_an_upload(self):
        self.ledger.ask("complete", keys=["u"], upload="id", value=PARTED)
        self.model.put("u", PART, PARTED["etag"])
        self.broken("is there and completed")
        del self.model.objects["u"], self.model.open["id"]
        self.broken("upload id of u is gone")
        self.model.put("u", PART, PARTED["etag"])
        self.check()

    def test_ledger_reads_back(self):
        self.ledger.ask("put", keys=["b"], value=value_of(NEW))
        self.ledger.close()
        truth, self.ledger = self.ledger.truth, self.ledger_again()
        again = self.ledger.truth
        self.assertEqual((again.keys, again.uploads, again.buckets), (truth.keys, truth.uploads, truth.buckets))
        self.assertEqual([q["keys"] for q in self.ledger.open.values()], [["b"]])
        self.model.put("b", NEW)
        self.check()


class TableTest(unittest.TestCase):
    def test_each_step_of_the_table_is_in_the_code_with_both_edges(self):
        table = re.findall(r'"([a-z._]+)"', re.search(
            r"kDurableSteps = .*?\}\);", (TREE / "base/fail_point.h").read_text(), re.S)[0])
        self.assertGreater(len(table), 40)
        code = "".join(path.read_text() for folder in ("base", "journal", "projections", "actors", "s3", "node")
                       for path in (TREE / folder).rglob("*.cc"))
        for step in table:
            for edge in ("before", "after"):
                self.assertIn(f'{edge}_step("{step}")', code)


if __name__ == "__main__":
    unittest.main()
