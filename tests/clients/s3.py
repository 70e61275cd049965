"""boto3 as the tests use it: path style, no retries, and errors as one line."""

import contextlib
import os

import boto3
import botocore.client
import botocore.exceptions
import pytest

from server import Endpoint

# No profile, instance metadata or proxy of the machine takes part.
os.environ.update(AWS_CONFIG_FILE=os.devnull, AWS_SHARED_CREDENTIALS_FILE=os.devnull,
                  AWS_EC2_METADATA_DISABLED="true", NO_PROXY="127.0.0.1,localhost")


def s3_client(endpoint: Endpoint, **config):
    settings = {"retries": {"total_max_attempts": 1}, "s3": {"addressing_style": "path"},
                "signature_version": "s3v4", "max_pool_connections": 32, **config}
    return boto3.client(
        "s3", endpoint_url=endpoint.url, aws_access_key_id=endpoint.access_key,
        aws_secret_access_key=endpoint.secret_key, region_name="us-east-1", verify=endpoint.ca,
        config=botocore.client.Config(**settings))


@contextlib.contextmanager
def refused(code: str, status: int):
    """The block must end with exactly this S3 error."""
    with pytest.raises(botocore.exceptions.ClientError) as caught:
        yield caught
    response = caught.value.response
    got = response["Error"]["Code"], response["ResponseMetadata"]["HTTPStatusCode"]
    # HEAD has no body: boto3 shows the status in place of the code.
    assert got in ((code, status), (str(status), status)), f"{got}: {response['Error'].get('Message')}"


def read(s3, bucket: str, key: str, **options) -> bytes:
    return s3.get_object(Bucket=bucket, Key=key, **options)["Body"].read()


def keys_of(s3, bucket: str, **options) -> list[str]:
    pages = s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, **options)
    return [row["Key"] for page in pages for row in page.get("Contents", [])]
