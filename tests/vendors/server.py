"""Shared parts of the vendors' stand-ins: a strict HTTP server, its failures, transcription and synthesis.

A stand-in listens on 127.0.0.1 while its context is open. It checks every request and records in `complaints`
any departure from the vendor's documentation; `mood` makes it fail on purpose.
"""

from __future__ import annotations

import contextlib
import itertools
import json
import socket
import sys
import threading
from collections.abc import Iterable
from dataclasses import dataclass, field
from email.parser import BytesParser
from email.policy import HTTP
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import numpy as np

from voice.audio.decoding import decode
from voice.audio.pcm import s16le_from_samples

KEY = "sk-test-0123456789abcdef"
SENTENCE = "I led a team of five."
DETECTED = "en"
SECONDS_PER_CHARACTER = 0.05
DEADLINE_S = 120.0


class Departure(Exception):
    """The request does not follow the vendor's documentation."""


def expect(is_met: object, wanted: str) -> None:
    if not is_met:
        raise Departure(wanted)


@dataclass(frozen=True)
class Part:
    """A field of a multipart form."""

    content: bytes
    filename: str | None
    content_type: str


@dataclass(frozen=True)
class Request:
    method: str
    path: str
    query: list[tuple[str, str]]
    headers: Any
    body: bytes

    def json(self) -> Any:
        expect(self.headers["content-type"] == "application/json", "Content-Type: application/json")
        return json.loads(self.body)

    def form(self) -> dict[str, list[Part]]:
        expect(self.headers["content-type"].startswith("multipart/form-data; boundary="), "a multipart form")
        head = f"Content-Type: {self.headers['content-type']}\r\n\r\n".encode()
        form: dict[str, list[Part]] = {}
        for part in BytesParser(policy=HTTP).parsebytes(head + self.body).iter_parts():
            name = part.get_param("name", header="content-disposition")
            found = Part(part.get_payload(decode=True), part.get_filename(), part.get_content_type())
            form.setdefault(name, []).append(found)
        return form


@dataclass(frozen=True)
class Answer:
    body: bytes | Iterable[bytes]
    """An iterable is streamed piece by piece."""
    content_type: str = "application/json"
    headers: dict[str, str] = field(default_factory=dict)


def as_json(value: Any) -> Answer:
    return Answer(json.dumps(value).encode())


class Moods:
    """A stand-in's intended failure: an HTTP status, "hang", "break" or "nonsense"; "" means none."""

    def __init__(self) -> None:
        self.mood: int | str = ""
        self.refusal = f'{{"error": "{SENTENCE} {KEY}"}}'.encode()  # vendors echo parts of the request
        self.location = ""  # of a redirect
        self.complaints: list[str] = []
        self.requests = 0
        self.released = threading.Event()

    def hang(self) -> None:
        self.released.wait(DEADLINE_S)


class VendorServer(Moods):
    """An HTTP stand-in. Subclasses check a request and reply to it."""

    def __enter__(self) -> VendorServer:
        self._server = _Server(("127.0.0.1", 0), _Handler)
        self._server.vendor = self
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,), name="vendor")
        self._thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        self.released.set()
        self._server.shutdown()
        self._server.drop_connections()
        self._server.server_close()  # waits for the handlers
        self._thread.join()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def answer(self, request: Request) -> Answer:
        raise NotImplementedError


class _Server(ThreadingHTTPServer):
    daemon_threads = False
    vendor: VendorServer

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        self._connections: set[socket.socket] = set()

    def process_request(self, request: Any, client_address: Any) -> None:
        self._connections.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        self._connections.discard(request)
        super().shutdown_request(request)

    def handle_error(self, request: Any, client_address: Any) -> None:
        error = sys.exc_info()[1]
        if not isinstance(error, OSError):  # a disconnecting caller is expected
            self.vendor.complaints.append(repr(error))

    def drop_connections(self) -> None:
        for connection in list(self._connections):
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    timeout = DEADLINE_S
    server: _Server

    def log_message(self, *args: object) -> None:
        pass

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["content-length"]))
        self._serve(body)

    def do_GET(self) -> None:
        self._serve(b"")

    def _serve(self, body: bytes) -> None:
        vendor = self.server.vendor
        vendor.requests += 1
        parts = urlsplit(self.path)
        query = parse_qsl(parts.query, keep_blank_values=True)
        request = Request(self.command, parts.path, query, self.headers, body)
        try:
            answer = vendor.answer(request)
        except (Departure, KeyError, ValueError, TypeError) as error:
            vendor.complaints.append(f"{self.command} {parts.path}: {error!r}")
            self._send(400, Answer(b'{"error": "departure"}'))
            return
        with contextlib.suppress(OSError):  # the caller disconnected
            self._send_in_mood(vendor, answer)

    def _send_in_mood(self, vendor: VendorServer, answer: Answer) -> None:
        if isinstance(vendor.mood, int):
            elsewhere = {"Location": vendor.location} if vendor.location else {}
            self._send(vendor.mood, Answer(vendor.refusal, headers=elsewhere))
        elif vendor.mood == "hang":
            vendor.hang()
            self.close_connection = True
        elif vendor.mood == "break":
            self._head(200, answer.content_type, {"Content-Length": "100000"})
            self.wfile.write(b"{")
            self.close_connection = True
        elif vendor.mood == "nonsense":
            self._send(200, Answer(b"<html>Please sign in.</html>", "text/html"))
        else:
            self._send(200, answer)

    def _send(self, status: int, answer: Answer) -> None:
        if isinstance(answer.body, bytes):
            length = {"Content-Length": str(len(answer.body))}
            self._head(status, answer.content_type, answer.headers | length)
            self.wfile.write(answer.body)
            return
        self._head(status, answer.content_type, answer.headers | {"Transfer-Encoding": "chunked"})
        for piece in itertools.chain(answer.body, [b""]):
            self.wfile.write(b"%x\r\n%s\r\n" % (len(piece), piece))

    def _head(self, status: int, content_type: str, headers: dict[str, str]) -> None:
        self.send_response(status)
        for name, value in {"Content-Type": content_type, **headers}.items():
            self.send_header(name, value)
        self.end_headers()


@dataclass(frozen=True)
class HeardWord:
    text: str
    start_s: float
    end_s: float


def heard_in(file: bytes) -> tuple[list[HeardWord], float]:
    """Return the words of `SENTENCE`, spread over the audio file, and its duration in seconds."""
    expect(file[:4] == b"fLaC", "a FLAC file")
    return heard_in_samples(decode(file))


def heard_in_samples(samples: Any) -> tuple[list[HeardWord], float]:
    duration_s = len(samples) / 16_000
    expect(np.abs(samples).max() > 0.01, "somebody who speaks")
    texts = SENTENCE.split()
    step_s = duration_s / len(texts)
    words = [HeardWord(text, i * step_s, (i + 1) * step_s) for i, text in enumerate(texts)]
    return words, duration_s


def hum(text: str, *, rate_hz: int, speed: float = 1.0) -> bytes:
    """Return s16le: 50 ms for each character."""
    time_s = np.arange(int(len(text) * SECONDS_PER_CHARACTER * rate_hz / speed)) / rate_hz
    return s16le_from_samples((0.3 * np.sin(2 * np.pi * 220 * time_s)).astype(np.float32))


def in_pieces(pcm: bytes, size: int = 4801) -> list[bytes]:
    """Cut `pcm` in the middle of samples, as networks do."""
    return [pcm[i : i + size] for i in range(0, len(pcm), size)] or [b""]


def bare(text: str) -> str:
    """Return a word without its punctuation."""
    return text.strip(".,!?").lower()


def only(pairs: Iterable[tuple[str, str]], *allowed: str) -> dict[str, str]:
    """Return the query, if every key of it is known."""
    found = dict(pairs)
    expect(set(found) <= set(allowed), f"only {allowed}, not {sorted(set(found) - set(allowed))}")
    return found
