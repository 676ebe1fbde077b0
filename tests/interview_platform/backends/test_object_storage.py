"""Object storage: what is asked of it, how it is reached, and from where browsers reach it."""

import http.server
import ssl
import subprocess
import sys
import threading
from pathlib import Path

import boto3
import pytest
from botocore.exceptions import SSLError
from django.core.files.base import ContentFile
from moto import mock_aws

from interview_platform.backends.object_storage import ObjectStorage
from tests.environment import without_ours
from tests.voice.infra.test_redis_tls import certified

ROOT = Path(__file__).resolve().parents[3]
BUCKET, NAME = "recordings", "one/answer.flac"
KEYS = {"access_key": "tests", "secret_key": "tests", "region_name": "us-east-1"}
SHOW = """
from django.conf import settings
from django.core.files.storage import default_storage
print(default_storage.url("one/answer.flac", expire=60))
print(*settings.CONTENT_SECURITY_POLICY["DIRECTIVES"]["media-src"])
print(default_storage.bucket.meta.client.meta.endpoint_url)
print(default_storage.object_parameters)
"""


def shown(**env: str) -> list[str]:
    """Return an address for browsers, where they may load media from, our endpoint, and what is asked for."""
    of_tests = {
        "SECRET_KEY": "tests",
        "TOKEN_KEYS": "the-only-key-of-links-in-these-tests",
        "S3_BUCKET": BUCKET,
    }
    of_tests |= {"S3_ACCESS_KEY_ID": "tests", "S3_SECRET_ACCESS_KEY": "tests", "S3_REGION": "eu-central-1"}
    program = subprocess.run(
        [sys.executable, "-c", f"import django; django.setup(); {SHOW}"],
        cwd=ROOT,
        env=without_ours() | of_tests | env | {"DJANGO_SETTINGS_MODULE": "interview_platform.settings"},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert program.returncode == 0, program.stderr
    return program.stdout.splitlines()


def test_browsers_are_sent_to_the_public_address_and_may_load_from_it():
    url, media, endpoint, asked = shown(
        S3_ENDPOINT_URL="http://s3.internal:8333",
        S3_PUBLIC_URL="https://media.example.com",
        S3_ADDRESSING_STYLE="virtual",
        S3_ENCRYPTION="aws:kms",
        S3_KMS_KEY_ID="a-key",
    )

    assert url.startswith("https://recordings.media.example.com/one/answer.flac?X-Amz-Algorithm=AWS4")
    assert "https://recordings.media.example.com" in media.split()
    assert endpoint == "http://s3.internal:8333"
    assert asked == "{'ServerSideEncryption': 'aws:kms', 'SSEKMSKeyId': 'a-key'}"


@pytest.mark.parametrize(
    ("public_url", "beginning"),
    [(None, "http://s3.internal:8333/"), ("https://media.example.com", "https://media.example.com/")],
)
def test_addresses_are_those_of_the_public_endpoint_if_there_is_one(public_url, beginning):
    storage = ObjectStorage(
        bucket_name=BUCKET, endpoint_url="http://s3.internal:8333", public_url=public_url, **KEYS
    )

    assert storage.url(NAME).startswith(f"{beginning}recordings/one/answer.flac?")
    assert storage.bucket.meta.client.meta.endpoint_url == "http://s3.internal:8333"


@mock_aws
def test_files_are_encrypted_as_it_is_set():
    client = boto3.client("s3", region_name="us-east-1")
    client.create_bucket(Bucket=BUCKET)
    parameters = {"ServerSideEncryption": "aws:kms", "SSEKMSKeyId": "a-key"}
    storage = ObjectStorage(bucket_name=BUCKET, region_name="us-east-1", object_parameters=parameters)
    storage.save(NAME, ContentFile(b"sound"))

    kept = client.head_object(Bucket=BUCKET, Key=NAME)
    assert (kept["ServerSideEncryption"], kept["SSEKMSKeyId"]) == ("aws:kms", "a-key")


class Empty(http.server.BaseHTTPRequestHandler):
    def do_HEAD(self):
        self.send_response(404)
        self.end_headers()

    def log_message(self, *args):
        pass


@pytest.fixture
def encrypted(tmp_path):
    """An empty storage behind TLS: its certificate, and a function that makes clients of it."""
    certificate = certified(tmp_path)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Empty)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    server.handle_error = lambda *_: None
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    endpoint = f"https://localhost:{server.server_port}"
    yield certificate, lambda **more: ObjectStorage(bucket_name=BUCKET, endpoint_url=endpoint, **KEYS, **more)
    server.shutdown()
    thread.join()
    server.server_close()


def test_authority_of_the_storage_is_named(encrypted):
    certificate, client = encrypted

    assert not client(verify=str(certificate)).exists(NAME)
    with pytest.raises(SSLError):
        client().exists(NAME)
