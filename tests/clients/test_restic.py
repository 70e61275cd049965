"""restic (Debian): a repository in a bucket: backup, full check, restore, forget with prune."""

import json

from bodies import MIB, assert_same, body, make_tree, read_tree
from roundtrip import run


def test_backup_and_restore(endpoint, s3, new_bucket, tmp_path):
    env = {"AWS_ACCESS_KEY_ID": endpoint.access_key, "AWS_SECRET_ACCESS_KEY": endpoint.secret_key,
           "AWS_DEFAULT_REGION": "us-east-1", "RESTIC_PASSWORD": "test", "RESTIC_CACHE_DIR": str(tmp_path / "cache"),
           "RESTIC_REPOSITORY": f"s3:{endpoint.url}/{new_bucket}/repo"}

    def restic(*args):
        return run("/usr/bin/restic", *args, env=env)

    want = make_tree(tmp_path / "source")
    restic("init")
    restic("backup", tmp_path / "source")
    (tmp_path / "source/more").write_bytes(body(20 * MIB))
    want["more"] = body(20 * MIB)
    restic("backup", tmp_path / "source")
    restic("check", "--read-data")
    restic("restore", "latest", "--target", tmp_path / "back")
    assert_same(read_tree(tmp_path / "back" / (tmp_path / "source").relative_to("/")), want)
    restic("forget", "--keep-last", "1", "--prune")
    restic("check", "--read-data")
    assert len(json.loads(restic("snapshots", "--json"))) == 1
