"""HTTP of a process that is no web process: a worker, the clock. For its supervisor and for Prometheus.

/health    the process works; else 503
/ready     of a worker: its stores answer and its models are loaded; else 503 with what is missing
/metrics   all counts of this machine, so that a machine without web processes is scraped too
"""

import json
import logging
import socket
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from django.db import connections
from prometheus_client.openmetrics import exposition

from voice.monitoring import prometheus, readiness
from voice.monitoring.readiness import Check

logger = logging.getLogger(__name__)

PATIENCE_S = 5.0
"""A client that sends no request for this many seconds is gone."""

Answer = tuple[int, str, bytes]
"""Status, content type, body."""
Pages = Mapping[str, Callable[[], Answer]]
"""What is answered, by its path."""


class Handler(BaseHTTPRequestHandler):
    """One connection, one request."""

    timeout = PATIENCE_S
    server: "Server"

    def do_GET(self) -> None:
        """Answer, or 404."""
        page = self.server.pages.get(self.path.partition("?")[0], self._unknown)
        try:
            status, content_type, body = page()
        finally:
            connections.close_all()
        self.send_response(status)
        self.send_header("Content-Type", content_type)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args: object) -> None:
        """Log nothing: supervisors ask every few seconds."""

    def _unknown(self) -> Answer:
        return as_json(404, {"detail": "There are /health, /metrics and, of a worker, /ready."})


class Server(ThreadingHTTPServer):
    """One thread a request: a store that hangs must not block the next."""

    daemon_threads = True

    def __init__(self, listener: socket.socket, pages: Pages) -> None:
        """listener: gives the connections, and is closed at the end."""
        super().__init__(("", 0), Handler, bind_and_activate=False)
        self.socket.close()
        self.socket = listener
        self.pages = pages

    @contextmanager
    def running(self) -> Iterator[None]:
        """Serve while the block runs."""
        with self:
            threading.Thread(target=self.serve_forever, name="http", daemon=True).start()
            try:
                yield
            finally:
                self.shutdown()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Log what went wrong, but nothing of a client that has left."""
        if not isinstance(sys.exception(), (ConnectionError, TimeoutError)):
            logger.exception("a page of the worker failed")


def listening(address: tuple[str, int]) -> socket.socket:
    """Open a port, of IPv4 or IPv6. Raises OSError when it is taken."""
    if ":" not in address[0]:
        return socket.create_server(address, backlog=64)
    is_dual = socket.has_dualstack_ipv6()  # "::" takes IPv4 as well
    return socket.create_server(address, family=socket.AF_INET6, backlog=64, dualstack_ipv6=is_dual)


def ready(models: Mapping[str, Check]) -> Answer:
    """Return whether the stores answer and the models are loaded."""
    parts = readiness.states({**readiness.STORES, **models})
    is_ready = set(parts.values()) == {"ok"}
    return as_json(200 if is_ready else 503, {"ready": is_ready, "parts": parts})


def metrics() -> Answer:
    """Return every metric of this machine, in the format that can name traces: Prometheus alone asks here."""
    return 200, exposition.CONTENT_TYPE_LATEST, prometheus.text(exposition.generate_latest)


def as_json(status: int, content: dict[str, object]) -> Answer:
    """Return the content as an answer."""
    return status, "application/json", json.dumps(content).encode()


def as_health(problem: str) -> Answer:
    """Return that all is well, or the problem."""
    return as_json(503 if problem else 200, {"status": problem or "ok"})
