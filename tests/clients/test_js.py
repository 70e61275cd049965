"""AWS SDK for JavaScript v3 with lib-storage: js/roundtrip.mjs does the work and asserts."""

import os
import pathlib
import shutil

import pytest

from roundtrip import run, tool
from bodies import SIZES

SCRIPT = pathlib.Path(__file__).parent / "js/roundtrip.mjs"


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_round_trip(request, new_bucket, tmp_path, scheme):
    endpoint = request.getfixturevalue("endpoint" if scheme == "http" else "endpoint_tls")
    cache = os.environ.get("KURA_CACHE", os.path.expanduser("~/.cache/kura"))
    shutil.copy(SCRIPT, tmp_path)
    (tmp_path / "node_modules").symlink_to(f"{cache}/js/node_modules")  # Modules are found beside the script.
    env = {"KURA_URL": endpoint.url, "AWS_ACCESS_KEY_ID": endpoint.access_key, "AWS_REGION": "us-east-1",
           "AWS_SECRET_ACCESS_KEY": endpoint.secret_key, "KURA_BUCKET": new_bucket, "KURA_SIZES": ",".join(map(str, SIZES)),
           **({"NODE_EXTRA_CA_CERTS": endpoint.ca} if endpoint.ca else {})}
    assert run(tool("node"), tmp_path / "roundtrip.mjs", env=env).splitlines()[-1] == f"{len(SIZES)} sizes, all equal"
