"""Uploads over the limit are refused on arrival, whatever length their client declares."""

import contextlib
import http.client
import json
import socket
from pathlib import Path
from unittest.mock import Mock
from urllib.parse import urlsplit

import httpx
import psutil
import pytest

from interview_platform.server import uploads
from tests.sounds import encode, tone

pytestmark = pytest.mark.flows
MB = 1024**2
HUGE = 200 * MB
PIECE = bytes(32 * 1024)
TRANSCRIBE = "/api/v1/voice/transcribe"
BATCHES = "/api/v1/voice/batches"
RECORDING = encode(tone(1.0), rate_hz=16_000, container="wav")


class Upload:
    """A client that sends until it is stopped, and counts the bytes."""

    def __init__(self, url, path, *, length=None, headers=()):
        host = urlsplit(url)
        self.sent = 0
        self.peak_bytes = 0  # of memory and open temporary files of the web processes
        self._socket = socket.create_connection((host.hostname, host.port), timeout=120)
        framing = f"Content-Length: {length}" if length else "Transfer-Encoding: chunked"
        lines = [f"POST {path} HTTP/1.1", f"Host: {host.netloc}", framing, *headers, "", ""]
        self._socket.sendall("\r\n".join(lines).encode())
        self._is_chunked = length is None

    def send(self, up_to, watch=lambda: 0):
        """Send this many bytes, or until the server closes."""
        piece = b"%x\r\n%s\r\n" % (len(PIECE), PIECE) if self._is_chunked else PIECE
        with contextlib.suppress(ConnectionError):
            while self.sent < up_to:
                self._socket.sendall(piece)
                self.sent += len(PIECE)
                if self.sent % MB == 0:
                    self.peak_bytes = max(self.peak_bytes, watch())
        return self

    def answer(self):
        response = http.client.HTTPResponse(self._socket)
        response.begin()
        with response:
            return response.status, json.loads(response.read())

    def close(self):
        self._socket.close()


@pytest.fixture
def upload(stack):
    """A function that opens an upload to the running system."""
    with contextlib.ExitStack() as opened:

        def start(path=TRANSCRIBE, *, headers=(), is_known=True, **options):
            if is_known:
                headers = [*headers, f"Authorization: Bearer {stack.demo['api_key']}"]
            client = Upload(stack.url, path, headers=headers, **options)
            opened.callback(client.close)
            return client

        yield start


def held_bytes(stack):
    """Memory and open files of the web processes."""
    total = 0
    for pid in stack.pids("web"):
        total += psutil.Process(pid).memory_info().rss
        for link in Path(f"/proc/{pid}/fd").iterdir():
            with contextlib.suppress(OSError):
                if "(deleted)" in str(link.readlink()):
                    total += link.stat().st_size
    return total


@pytest.mark.parametrize("length", [HUGE, None], ids=["announced", "in chunks"])
def test_200_megabytes_are_cut_early(stack, upload, length):
    before = held_bytes(stack)
    client = upload(length=length).send(HUGE, watch=lambda: held_bytes(stack) - before)
    most = uploads.LINGER_BYTES + (0 if length else 25 * MB)
    assert client.sent < most + 8 * MB  # in socket buffers
    assert client.peak_bytes < 40 * MB


@pytest.mark.parametrize("length", [30 * MB, None], ids=["announced", "in chunks"])
def test_client_that_sends_everything_first_is_told_why(upload, length):
    status, answer = upload(length=length).send(30 * MB).answer()
    assert (status, answer["code"], answer["field"]) == (413, "too_large", "body")
    assert "25 MB" in answer["detail"]


def test_announcement_alone_is_answered(upload):
    client = upload(length=HUGE, headers=["Expect: 100-continue"])
    assert client.answer()[0] == 413


def test_every_address_has_a_limit_and_batches_a_higher_one(upload):
    assert upload("/admin/login/", length=30 * MB).answer()[0] == 413
    assert upload(BATCHES, length=101 * MB).answer()[0] == 413
    assert upload(BATCHES, length=30 * MB).send(30 * MB).answer()[0] == 422


def test_file_of_just_the_limit_is_let_through(upload):
    assert upload(length=25 * MB + 32 * 1024).send(25 * MB + 32 * 1024).answer()[0] == 422


@pytest.mark.parametrize("path", [TRANSCRIBE, BATCHES, "/v1/audio/transcriptions", "/admin/", "/i/link/"])
@pytest.mark.parametrize("length", [20 * MB, None], ids=["announced", "in chunks"])
def test_nothing_of_a_strangers_upload_is_read(upload, path, length):
    client = upload(path, length=length, is_known=False)

    assert client.answer()[0] == 401


def test_strangers_upload_costs_nothing(stack, upload):
    before = held_bytes(stack)
    client = upload(length=20 * MB, is_known=False).send(20 * MB, watch=lambda: held_bytes(stack) - before)

    assert client.peak_bytes < 4 * MB


@pytest.mark.parametrize(
    ("path", "field", "status"),
    [
        (TRANSCRIBE, "file", 200),
        ("/api/stt", "file", 200),
        ("/api/v1/voice/convert", "file", 200),
        ("/v1/audio/transcriptions", "file", 200),
        (BATCHES, "files", 202),
    ],
)
def test_form_in_chunks_is_read_at_every_address_for_uploads(stack, path, field, status):
    request = httpx.Request(
        "POST", stack.url + path, data={"language": "en"}, files={field: ("answer.wav", RECORDING)}
    )
    body = request.read()
    headers = {name: request.headers[name] for name in ("Content-Type",)}
    headers["Authorization"] = f"Bearer {stack.demo['api_key']}"
    pieces = (body[at : at + 1000] for at in range(0, len(body), 1000))

    answer = httpx.post(stack.url + path, content=pieces, headers=headers, timeout=120)

    assert answer.request.headers["transfer-encoding"] == "chunked"
    assert answer.status_code == status, answer.text


def test_length_of_a_body_in_chunks_is_limited_like_any_other(stack):
    """Fields besides files have a limit of their own, which Django checks by the stated length."""
    pieces = (b"x" * 100_000 for _ in range(40))
    headers = {"Content-Type": "application/json", "Authorization": f"Bearer {stack.demo['api_key']}"}

    answer = httpx.post(f"{stack.url}/api/v1/voice/synthesize", content=pieces, headers=headers, timeout=120)

    assert (answer.status_code, answer.json()["code"]) == (413, "too_large")


def test_answer_that_fails_in_the_middle_is_broken_off():
    request = uploads.BoundedRequest.__new__(uploads.BoundedRequest)
    request._response_started, request.channel = True, Mock()
    request.handle_exception(ValueError())
    request.channel.transport.abortConnection.assert_called_once_with()
