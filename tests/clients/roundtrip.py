"""What every command line client must do, written once: a client is a class with these methods.

make_bucket(bucket), put_tree(folder, bucket), names(bucket) -> {key: size}, get_tree(bucket, folder),
put(file, bucket, key), get(bucket, key, file), delete(bucket, key), clear(bucket).
"""

import os
import pathlib
import subprocess
import sys

from bodies import MIB, assert_same, body, make_tree, read_tree
from s3 import keys_of, read


def tool(name: str) -> str:
    """A client beside this Python, in the cache or on the system, in this order."""
    cache = os.environ.get("KURA_CACHE", os.path.expanduser("~/.cache/kura"))
    for folder in (pathlib.Path(sys.prefix) / "bin", pathlib.Path(cache) / "bin", pathlib.Path("/usr/bin")):
        if (folder / name).exists():
            return str(folder / name)
    raise AssertionError(f"{name} is missing: ./dev setup")


def run(*command, env: dict | None = None, stdin: bytes | None = None) -> str:
    # No key, certificate or proxy of the machine takes part.
    clean = {k: v for k, v in os.environ.items() if not k.startswith("AWS_") and not k.lower().endswith("_proxy")}
    done = subprocess.run([str(c) for c in command], env={**clean, **(env or {})}, input=stdin,
                          stdin=None if stdin is not None else subprocess.DEVNULL, capture_output=True, timeout=200)
    assert done.returncode == 0, f"{command}:\n{done.stdout.decode()[-2000:]}\n{done.stderr.decode()[-4000:]}"
    return done.stdout.decode()


def check(client, s3, bucket: str, tmp_path: pathlib.Path):
    source, back = tmp_path / "source", tmp_path / "back"
    source.mkdir()
    back.mkdir()
    client.make_bucket(bucket)
    assert bucket in [row["Name"] for row in s3.list_buckets()["Buckets"]]

    want = make_tree(source)
    client.put_tree(source, bucket)
    assert keys_of(s3, bucket) == sorted(want, key=str.encode)
    assert client.names(bucket) == {name: len(data) for name, data in want.items()}
    client.get_tree(bucket, back)
    assert_same(read_tree(back), want)

    file = tmp_path / "file"
    for key, data in [("size/00000001.bin", body(17 * MIB + 1, "over")), ("new key+%.bin", b"second")]:
        file.write_bytes(data)
        client.put(file, bucket, key)
        assert read(s3, bucket, key) == data
        file.unlink()
        client.get(bucket, key, file)
        assert file.read_bytes() == data

    client.delete(bucket, "new key+%.bin")
    assert "new key+%.bin" not in client.names(bucket)
    client.clear(bucket)
    assert bucket not in [row["Name"] for row in s3.list_buckets()["Buckets"]]
