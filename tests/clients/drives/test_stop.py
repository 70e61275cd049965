"""SIGTERM drains; a second signal does not wait for the drain."""

import signal
import time

import pytest
from bodies import KIB, body
from s3 import read
from wire import Call, Wire

BUCKET = "stopped"


@pytest.mark.parametrize("second", [signal.SIGTERM, signal.SIGINT])
def test_a_second_signal_ends_at_once(make_store, second):
    store = make_store(count=1)
    server = store.server
    store.s3.create_bucket(Bucket=BUCKET)
    store.s3.put_object(Bucket=BUCKET, Key="kept", Body=body(100 * KIB))
    with Wire(server.endpoint) as wire:
        whole = Call(server.endpoint, "PUT", f"/{BUCKET}/never", body=body(100 * KIB)).sign().wire()
        wire.send(whole[:-1])  # A request under way, for which the drain waits.
        time.sleep(0.5)
        server.process.send_signal(signal.SIGTERM)
        time.sleep(1.5)
        assert server.process.poll() is None, "the drain waits for nobody"
        server.process.send_signal(second)
        assert server.process.wait(3) == 1, server.log_tail()
    server.start()
    assert read(store.s3, BUCKET, "kept") == body(100 * KIB)
    assert [row["Key"] for row in store.s3.list_objects_v2(Bucket=BUCKET)["Contents"]] == ["kept"]
    assert server.stop() == 0
