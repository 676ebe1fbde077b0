"""Every store accepts connections and never answers: the metrics come, and say so."""

import contextlib
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import pytest

from interview_platform.demo import embedded
from interview_platform.demo.processes import end_with_parent
from tests.environment import without_ours
from tests.faults.waiting import wait_for

ROOT = Path(__file__).resolve().parents[2]
SETTINGS = {
    "SECRET_KEY": "tests",
    "TOKEN_KEYS": "the-only-key-of-links-in-these-tests",
    "METRICS_NETWORKS": "127.0.0.0/8",
    "S3_BUCKET": "recordings",
    "S3_ACCESS_KEY_ID": "tests",
    "S3_SECRET_ACCESS_KEY": "tests",
    "S3_REGION": "us-east-1",
    "STATICFILES_STORAGE": "django.contrib.staticfiles.storage.StaticFilesStorage",
}

pytestmark = pytest.mark.proof


@pytest.fixture
def address(tmp_path):
    """Of a web process whose stores hang."""
    with socket.create_server(("127.0.0.1", 0), backlog=512) as hung:
        place = f"127.0.0.1:{hung.getsockname()[1]}"
        stores = {
            "DATABASE_URL": f"postgres://postgres:secret@{place}/interviews",
            "REDIS_URL": f"redis://{place}/0",
            "S3_ENDPOINT_URL": f"http://{place}",
            "VAR_DIR": str(tmp_path),
        }
        port = embedded.free_port()
        process = subprocess.Popen(
            [
                *(sys.executable, "-m", "interview_platform.server", "-b", "127.0.0.1", "-p", str(port)),
                "interview_platform.asgi:application",
            ],
            cwd=ROOT,
            env=without_ours() | SETTINGS | stores,
            preexec_fn=end_with_parent(signal.SIGKILL),
        )
        url = f"http://127.0.0.1:{port}"
        try:
            wait_for(lambda: get(f"{url}/health"), "the web process")
            yield url
        finally:
            process.kill()
            process.wait()


def get(url: str) -> str:
    with contextlib.suppress(OSError), urllib.request.urlopen(url, timeout=60) as answer:
        return answer.read().decode()
    return ""


def test_metrics_come_while_every_store_hangs(address):
    pages, took = [], []
    for _ in range(5):
        began = time.monotonic()
        pages.append(get(f"{address}/metrics"))
        took.append(time.monotonic() - began)
    print(f"\n/metrics with hung stores: {', '.join(f'{seconds:.2f}' for seconds in took)} s")

    for page in pages:
        assert [line for line in page.splitlines() if line.startswith("voice_store_up")] == [
            f'voice_store_up{{store="{store}"}} 0.0' for store in ("postgresql", "redis", "storage")
        ]
