"""mc: signed streaming uploads, the listing extension with metadata, mirror, parts, shared links."""

import json

import pytest

import roundtrip
from bodies import MIB, body, make_tree
from roundtrip import run, tool
from s3 import read


class Mc:
    def __init__(self, endpoint, home):
        scheme, host = endpoint.url.split("://")
        self.env = {"MC_HOST_kura": f"{scheme}://{endpoint.access_key}:{endpoint.secret_key}@{host}",
                    "MC_CONFIG_DIR": str(home / "mc"), "MC_DISABLE_PAGER": "1"}

    def __call__(self, *args, stdin=None):
        return run(tool("mc"), "--no-color", *args, env=self.env, stdin=stdin)

    def make_bucket(self, bucket):
        self("mb", f"kura/{bucket}")

    def put_tree(self, folder, bucket):
        self("cp", "-q", "-r", f"{folder}/", f"kura/{bucket}/")

    def names(self, bucket):
        rows = map(json.loads, self("ls", "-r", "--json", f"kura/{bucket}").splitlines())
        return {row["key"]: row["size"] for row in rows}

    def get_tree(self, bucket, folder):
        self("mirror", "-q", f"kura/{bucket}", folder)

    def put(self, file, bucket, key):
        self("put", "-q", "--part-size", "5MiB", file, f"kura/{bucket}/{key}")

    def get(self, bucket, key, file):
        self("get", "-q", f"kura/{bucket}/{key}", file)

    def delete(self, bucket, key):
        self("rm", f"kura/{bucket}/{key}")

    def clear(self, bucket):
        self("rb", "--force", f"kura/{bucket}")


@pytest.fixture
def mc(endpoint, tmp_path):
    return Mc(endpoint, tmp_path)


def test_round_trip(mc, s3, new_bucket, tmp_path):
    roundtrip.check(mc, s3, new_bucket, tmp_path)


def test_mirror_pipe_stat_share(mc, s3, bucket, tmp_path):
    make_tree(tmp_path / "t")
    mc("mirror", "-q", tmp_path / "t", f"kura/{bucket}/m")
    assert mc("diff", tmp_path / "t", f"kura/{bucket}/m").strip() == ""
    mc("pipe", f"kura/{bucket}/piped", stdin=body(6 * MIB))
    assert read(s3, bucket, "piped") == body(6 * MIB)
    mc("cp", "-q", "--attr", "Cache-Control=max-age=9;x-test=1", f"kura/{bucket}/piped", f"kura/{bucket}/copied")
    stat = json.loads(mc("stat", "--json", f"kura/{bucket}/copied"))
    assert (stat["size"], stat["metadata"]["Cache-Control"]) == (6 * MIB, "max-age=9")
    shared = json.loads(mc("share", "download", "--json", "--expire", "1m", f"kura/{bucket}/m/eq=1/deep/er/file.bin"))
    assert run("/usr/bin/curl", "-sf", "-o", tmp_path / "got", shared["share"]) == ""
    assert (tmp_path / "got").read_bytes() == (tmp_path / "t/eq=1/deep/er/file.bin").read_bytes()
    mc("ready", "kura")


@pytest.mark.kura
def test_watch_is_refused_and_no_listing(mc, bucket):
    """It signs repeated parameters in the order sent, and the answer to a listing would never end for it."""
    told = json.loads(mc("watch", "--json", f"kura/{bucket}"))
    assert "`Watch` is not supported" in told["error"]["cause"]["message"]
