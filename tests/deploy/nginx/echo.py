"""A web process that answers each request with what arrived."""

import contextlib
import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


class Echo(BaseHTTPRequestHandler):
    """Answers with the path and the headers as JSON; opens WebSockets, which then say nothing."""

    protocol_version = "HTTP/1.1"
    server: "EchoServer"

    def do_GET(self) -> None:
        self.server.paths.append(self.path)
        if self.server.is_rude:
            self.close_connection = True
        elif self.headers.get("Upgrade"):
            self._open_socket()
        else:
            self._answer()

    do_POST = do_GET  # noqa: N815

    def _answer(self) -> None:
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        headers = {name.lower(): value for name, value in self.headers.items()}
        body = json.dumps({"path": self.path, "headers": headers}).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.send_header("X-Request-ID", "of the web process")
        self.send_header("Strict-Transport-Security", "max-age=1")
        self.end_headers()
        with contextlib.suppress(BrokenPipeError):  # the edge has closed its side
            self.wfile.write(body)

    def _open_socket(self) -> None:
        self.send_response(101)
        self.send_header("Upgrade", self.headers["Upgrade"])
        self.send_header("Connection", "Upgrade")
        self.end_headers()
        self.rfile.read()

    def log_message(self, *_: Any) -> None:
        """Write no log."""


class EchoServer(ThreadingHTTPServer):
    """Remembers the paths of all requests. A rude one reads requests and hangs up."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Echo)
        self.paths: list[str] = []
        self.is_rude = False

    @property
    def line(self) -> str:
        """Itself, as a line of nginx's upstream."""
        host, port = self.server_address[:2]
        return f"server {host!s}:{port} max_fails=0;"


@contextlib.contextmanager
def echo() -> Iterator[EchoServer]:
    """Run an echo server while the block runs."""
    with EchoServer() as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
        thread.start()
        yield server
        server.shutdown()
        thread.join()
