"""Another system that is told: a real HTTP server on 127.0.0.1, which answers as a test wants."""

import contextlib
import http.server
import json
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial

from standardwebhooks import Webhook


@dataclass
class Receiver:
    """What came, in order. answer: called for each request; it writes the answer."""

    url: str = ""
    answer: Callable[[http.server.BaseHTTPRequestHandler], None] = lambda request: respond(request, 204)
    received: list[tuple[dict[str, str], bytes]] = field(default_factory=list)
    is_over: threading.Event = field(default_factory=threading.Event)

    def types(self) -> list[str]:
        return [json.loads(body)["type"] for _headers, body in self.received]

    def verified(self, secret: str) -> list[dict]:
        """The messages, checked with the specification's own library."""
        return [Webhook(secret).verify(body, headers) for headers, body in self.received]


class _Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def __init__(self, receiver: Receiver, *args):
        self.receiver = receiver
        super().__init__(*args)

    def do_POST(self):
        body = self.rfile.read(int(self.headers["content-length"]))
        self.receiver.received.append((dict(self.headers), body))
        with contextlib.suppress(ConnectionError):
            self.receiver.answer(self)

    def log_message(self, *args):
        pass


def respond(request: http.server.BaseHTTPRequestHandler, status: int, **headers: str) -> None:
    request.send_response(status)
    for name, value in headers.items():
        request.send_header(name, value)
    request.send_header("content-length", "0")
    request.end_headers()


@contextlib.contextmanager
def receiving() -> Iterator[Receiver]:
    """Run a receiver. What it still waits for ends with it."""
    receiver = Receiver()
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), partial(_Handler, receiver)) as server:
        server.daemon_threads = True
        serving = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        serving.start()
        receiver.url = f"http://127.0.0.1:{server.server_port}/hook"
        yield receiver
        receiver.is_over.set()
        server.shutdown()
        serving.join()
