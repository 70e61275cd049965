"""DuckDB with httpfs: writes Parquet to S3 in parts and reads it back by ranges, globs and partitions."""

import pathlib

import duckdb
import duckdb_extension_httpfs
import pytest

from s3 import keys_of

ROWS = 1_000_000


@pytest.fixture
def db(endpoint):
    extension, = pathlib.Path(duckdb_extension_httpfs.__file__).parent.glob("extensions/*/httpfs.duckdb_extension")
    connection = duckdb.connect()
    connection.execute(f"LOAD '{extension}'")
    connection.execute(f"""CREATE SECRET (TYPE s3, KEY_ID '{endpoint.access_key}', SECRET '{endpoint.secret_key}',
        ENDPOINT '{endpoint.host}', URL_STYLE 'path', USE_SSL {endpoint.ca is not None}, REGION 'us-east-1')""")
    yield connection
    connection.close()


def test_parquet(db, s3, bucket):
    db.execute(f"CREATE TABLE t AS SELECT i, i % 7 AS day, md5(i::varchar) AS text FROM range({ROWS}) r(i)")
    db.execute(f"COPY t TO 's3://{bucket}/one.parquet' (FORMAT parquet, ROW_GROUP_SIZE 50000)")
    assert s3.head_object(Bucket=bucket, Key="one.parquet")["ContentLength"] > 20_000_000
    whole = "SELECT count(*), sum(i), min(text), max(text), bit_xor(hash(text)) FROM "
    want = db.execute(whole + "t").fetchall()
    assert db.execute(whole + f"'s3://{bucket}/one.parquet'").fetchall() == want
    # One row group in the middle: a few ranges, not the file.
    assert db.execute(f"SELECT text FROM 's3://{bucket}/one.parquet' WHERE i = 555555").fetchall() == \
        db.execute("SELECT text FROM t WHERE i = 555555").fetchall()


def test_partitions_and_globs(db, s3, bucket):
    db.execute("CREATE TABLE t AS SELECT i, i % 7 AS day, 'a b+' || (i % 2) AS kind FROM range(10000) r(i)")
    db.execute(f"COPY t TO 's3://{bucket}/set' (FORMAT parquet, PARTITION_BY (day, kind))")
    keys = keys_of(s3, bucket, Prefix="set/")
    assert len(keys) == 14 and all("day=" in key for key in keys)
    read = f"read_parquet('s3://{bucket}/set/*/*/*.parquet', hive_partitioning=true)"
    assert db.execute(f"SELECT sum(i), count(DISTINCT kind) FROM {read} WHERE day = 3").fetchall() == \
        db.execute("SELECT sum(i), count(DISTINCT kind) FROM t WHERE day = 3").fetchall()
    assert db.execute(f"SELECT count(*) FROM glob('s3://{bucket}/set/day=3/*/*')").fetchall() == [(2,)]
