"""What the machine itself takes to send a body over HTTP: nginx serving one file, on the servers' core.

The roofline of targets.py was measured on one machine. This is measured in the same run as the rest, so that a figure can
be read on any other: a slow or a busy machine slows both.
"""

import os
import pathlib
import subprocess
import sys
import time

import servers
from generator import CACHE, LoadFailed, load
from workloads import Scale, Workload

CONFIGURATION = """
worker_processes 1; daemon off; pid {folder}/pid; error_log {folder}/error.log; {user}
events {{ worker_connections 1024; }}
http {{
  access_log off; sendfile off; open_file_cache max=16; keepalive_requests 1000000000;
  client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy; fastcgi_temp_path {folder}/fastcgi;
  uwsgi_temp_path {folder}/uwsgi; scgi_temp_path {folder}/scgi;
  server {{ listen 127.0.0.1:{port}; root {folder}/root; location / {{ try_files /body =404; }} }}
}}
"""


PROGRAM = CACHE / "nginx/usr/sbin/nginx"  # tools/setup.sh bench


class Nginx:
    """Every path is the one body that `like` holds under `key`."""

    name = "nginx"

    def __init__(self, folder: pathlib.Path, like):
        self.port, self.endpoint = servers.test_server.free_port(), like.endpoint
        self.folder, self.process = folder, None

    def start(self, body: bytes) -> "Nginx":
        (self.folder / "root").mkdir(parents=True)
        (self.folder / "root/body").write_bytes(body)
        self.folder.chmod(0o755)
        user = "user root;" if os.geteuid() == 0 else ""
        (self.folder / "conf").write_text(CONFIGURATION.format(folder=self.folder, port=self.port, user=user))
        self.process = subprocess.Popen(servers.on_core([str(PROGRAM), "-c", str(self.folder / "conf")]))
        deadline = time.monotonic() + 10
        while not self.workers():
            assert time.monotonic() < deadline and self.process.poll() is None, "nginx did not start"
            time.sleep(0.05)
        time.sleep(0.2)
        return self

    def workers(self) -> list[int]:
        children = pathlib.Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children")
        return [int(pid) for pid in children.read_text().split()] if children.exists() else []

    def kill(self):
        if self.process:
            self.process.terminate()
            self.process.wait()
            self.process = None


def measure(kura, workload: Workload, scale: Scale, folder: pathlib.Path) -> dict:
    """CPU us and rate of nginx under the load of `workload`, a get, with the body that Kura has for it."""
    folder.mkdir()
    body = folder / "one"
    load(kura, "get", bucket=workload.bucket, prefix="pool-", size=workload.size_bytes, keys=1, connections=1, count=1,
         save_body=body)
    server = Nginx(folder, kura)
    try:
        server.start(body.read_bytes())
        [worker] = server.workers()
        before = servers.cpu_ns(worker)
        done = load(server, "get", bucket=workload.bucket, prefix="pool-", size=workload.size_bytes,
                    keys=scale.pool[workload.size], connections=workload.connections, seconds=scale.seconds,
                    count=workload.count_max)
        used = servers.cpu_ns(worker) - before
    finally:
        server.kill()
    return {"server": "nginx", "cpu_us": used / 1000 / done["operations"], "ops_per_s": done["operations"] / done["seconds"],
            "client_busy": done["client_cpu_s"] / done["seconds"]}


def measure_all(kura, chosen: list[Workload], scale: Scale, folder: pathlib.Path) -> dict[str, dict]:
    """By name of the workload, for every get but that of the largest bodies; empty without nginx."""
    if not PROGRAM.exists():
        print(f"{PROGRAM} is missing: so are the floors", file=sys.stderr)
        return {}
    floors = {}
    for workload in chosen:
        if workload.operation != "get" or workload.size == "64MiB":
            continue
        try:
            floors[workload.name] = measure(kura, workload, scale, folder / workload.size)
        except (AssertionError, OSError, LoadFailed) as error:
            print(f"floor of {workload.name}: {error}", file=sys.stderr)
    return floors
