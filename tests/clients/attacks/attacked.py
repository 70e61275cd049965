"""A server to attack, with something in it to ask for."""

import contextlib

from routes import B
from s3 import s3_client
from server import Server, fresh_drives


def settings_of(names: dict) -> dict[str, str]:
    """connections_max=5 is KURA_CONNECTIONS_MAX."""
    return {f"KURA_{name.upper()}": str(value) for name, value in names.items()}


@contextlib.contextmanager
def attacked(tmp_path_factory, full, body: bytes, **settings):
    """Bucket B with `body` under "k"."""
    with fresh_drives(tmp_path_factory, full) as drives:
        server = Server(drives, tmp_path_factory.mktemp("attacked") / "kura.log", settings=settings_of(settings))
        try:
            s3 = s3_client(server.start().endpoint)
            s3.create_bucket(Bucket=B)
            s3.put_object(Bucket=B, Key="k", Body=body)
            yield server
        finally:
            server.kill()
