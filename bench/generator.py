"""Runs a load generator against a server and gives its figures."""

import json
import os
import pathlib
import subprocess

TREE = pathlib.Path(__file__).resolve().parents[1]
CACHE = pathlib.Path(os.environ.get("KURA_CACHE", "~/.cache/kura")).expanduser()
RAW = pathlib.Path(os.environ.get("KURA_LOAD", TREE / "build/release/kura_load"))  # load/
SDK = CACHE / "bin/kura_sdk_load"  # sdk/
SECONDS_MAX = 3600


class LoadFailed(Exception):
    """An answer that no workload expects, or none: the figures would mean nothing."""


def load(server, operation: str, program: pathlib.Path = RAW, **options) -> dict:
    """`options` are the program's, list_anywhere=True for --list-anywhere; those that are None or False are left out."""
    words = []
    for name, value in options.items():
        if value is not None and value is not False:
            words += [f"--{name.replace('_', '-')}"] + ([] if value is True else [str(value)])
    done = subprocess.run(
        [program, operation, "--port", str(server.port), "--access-key", server.endpoint.access_key,
         "--secret-key", server.endpoint.secret_key, *words],
        capture_output=True, text=True, timeout=SECONDS_MAX)
    if done.returncode != 0:
        raise LoadFailed(f"{server.name}: {done.stderr.strip()}")
    return json.loads(done.stdout)
