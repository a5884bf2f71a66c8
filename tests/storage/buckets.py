"""An object store on this machine, for tests of a lake that is not a folder."""

from __future__ import annotations

import logging
import uuid
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

KEYS = {
    "AWS_ACCESS_KEY_ID": "testing",
    "AWS_SECRET_ACCESS_KEY": "testing",
    "AWS_REGION": "eu-west-1",
}


@contextmanager
def object_store() -> Iterator[dict[str, str]]:
    """Run an object store on loopback; yield the environment that reaches it."""
    from moto.server import ThreadedMotoServer

    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    try:
        yield KEYS | {"AWS_ENDPOINT_URL": f"http://{host}:{port}"}
    finally:
        server.stop()


def new_bucket(environment: dict[str, str]) -> str:
    """Make an empty bucket; return the address of a lake in it."""
    import boto3

    client = boto3.client(
        "s3",
        endpoint_url=environment["AWS_ENDPOINT_URL"],
        region_name=environment["AWS_REGION"],
        aws_access_key_id=environment["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=environment["AWS_SECRET_ACCESS_KEY"],
    )
    name = f"bucket-{uuid.uuid4().hex[:12]}"
    client.create_bucket(
        Bucket=name, CreateBucketConfiguration={"LocationConstraint": environment["AWS_REGION"]}
    )
    client.close()
    return f"s3://{name}/desk/lake"
