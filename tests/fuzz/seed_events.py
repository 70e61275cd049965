"""Rows of events, in protobuf's text form, that the folds take; make_seeds.py encodes them."""

_UPLOAD = '"0123456789abcdef"'
_ETAG = 'etag: "0123456789abcdef"'


def extent(set_id: int, offset: int, size: int) -> str:
    return f"extents {{ set: {set_id} offset: {offset} stored_bytes: {size} layout: STRIPED }}"


def put(key: str, size: int, body: str) -> str:
    return (f'put_committed {{ bucket: 500 key: "{key}" version {{ size_bytes: {size} stored_bytes: {size} {_ETAG} '
            f"body {{ {body} }} }} }}")


def effect(up_to: int, kind: str, operation: int = 0) -> str:
    return (f'control_applied {{ up_to: {up_to} effects {{ kind: {kind} bucket: 500 operation: {operation} '
            'name: "photos" } }')


_CREATED = f'upload_created {{ bucket: 500 key: "big" upload {{ upload_id: {_UPLOAD} }} }}'


def part(number: int, offset: int) -> str:
    return (f'part_committed {{ bucket: 500 key: "big" upload_id: {_UPLOAD} part {{ number: {number} size_bytes: 9 '
            f"stored_bytes: 9 {_ETAG} body {{ {extent(2, offset, 9)} }} }} }}")


_COMPLETED = (f'upload_completed {{ bucket: 500 key: "big" upload_id: {_UPLOAD} part_numbers: 1 '
              f"version {{ upload_id: {_UPLOAD} size_bytes: 9 part_count: 1 {_ETAG} }} }}")
_DELETED = 'object_deleted { bucket: 500 key: "big" }'

DATA = [
    [effect(10, "CREATED"), put("a", 5, "journal { length: 5 crc32c: 7 }"), put("a", 90, extent(1, 4096, 90)),
     'object_deleted { bucket: 500 key: "a" }', effect(20, "DELETING", 20), effect(30, "DELETED", 20)],
    [_CREATED, part(1, 0), part(1, 64), part(2, 128), _COMPLETED, _DELETED],
    [_CREATED, part(3, 0), f'upload_aborted {{ bucket: 500 key: "big" upload_id: {_UPLOAD} }}'],
    [put("m", 8, extent(1, 0, 8)),
     f'bodies_moved {{ moves {{ bucket: 500 key: "m" from {{ {extent(1, 0, 8)} }} to {{ {extent(3, 0, 8)} }} }} }}',
     'reservations_voided { incarnation: "0123456789abcdef" }'],
    [_CREATED, part(1, 0),
     f'bodies_moved {{ moves {{ bucket: 500 key: "big" upload_id: {_UPLOAD} part_number: 1 from {{ {extent(2, 0, 9)} }} '
     f"to {{ {extent(4, 0, 9)} }} }} }}"],
    [effect(10, "CREATED"), put("b", 1, ""), effect(20, "DELETING", 20), effect(30, "ABANDONED", 20)],
]

_CLUSTER = 'cluster_created { cluster_id: "0123456789abcdef" created_at_ms: 1 }'
_DRIVE = 'drive_added { drive_id: "0123456789abcde%d" label: "/mnt/d%d" }'
_OPENED = ('set_opened { set: 1 data_shards: 1 parity_shards: 1 drive_ids: "0123456789abcde1" '
           'drive_ids: "0123456789abcde2" member_bytes: 1048576 }')


def archived(begin: int, end: int, set_id: int) -> str:
    return f"log_archived {{ from: {begin} to: {end} body {{ {extent(set_id, 0, end - begin)} }} }}"


CONTROL = [
    [_CLUSTER, _DRIVE % (1, 1), _DRIVE % (2, 2), _OPENED, "set_sealed { set: 1 length: 4096 }",
     'set_member_replaced { set: 1 member: 1 drive_id: "0123456789abcde3" }', "set_dropped { set: 1 }",
     'drive_removed { drive_id: "0123456789abcde1" }'],
    # The id of a bucket is the offset of its record: the first event is at 100.
    ['bucket_created { name: "photos" owner: "root" region: "eu-west-1" created_at_ms: 5 }',
     "bucket_deleting { bucket: 100 }", "bucket_delete_abandoned { bucket: 100 operation: 200 }",
     "bucket_deleting { bucket: 100 }", "bucket_deleted { bucket: 100 operation: 400 }"],
    ['key_created { access_key: "k" sealed_secret: "s" access: READ_ONLY bucket: "b" description: "d" }',
     'key_disabled { access_key: "k" }'],
    [archived(4096, 8192, 1), archived(9000, 9100, 2), archived(8192, 9000, 2), archived(4096, 8192, 3),
     "log_archive_dropped { from: 9000 }", "log_archive_dropped { from: 4096 }"],
    [f'snapshot_taken {{ offset: {n} size_bytes: 4 digest: "d" body {{ {extent(1, 0, 4)} }} }}' for n in (1, 2, 3)],
]
