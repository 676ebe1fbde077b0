"""A worker's own HTTP server, for its supervisor and for Prometheus.

/health    the process answers
/ready     its stores answer and its models are loaded; else 503 with what is missing
/metrics   all counts of this machine, so that a machine without web processes is scraped too
"""

import json
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from django.db import connections
from prometheus_client.exposition import choose_encoder

from voice.monitoring import prometheus, readiness
from voice.monitoring.readiness import Check

PATIENCE_S = 5.0
"""A client that sends no request for this many seconds is gone."""


class Server(ThreadingHTTPServer):
    """One thread a request: a store that hangs must not block /health."""

    daemon_threads = True

    def __init__(self, address: tuple[str, int], models: Mapping[str, Check]) -> None:
        """Open the port.

        models: checks of models, besides the stores. Raises OSError when the port is taken.
        """
        self.models = models
        super().__init__(address, Handler)

    @contextmanager
    def running(self) -> Iterator[None]:
        """Serve while the block runs."""
        with self:
            threading.Thread(target=self.serve_forever, name="worker-http", daemon=True).start()
            try:
                yield
            finally:
                self.shutdown()


class Handler(BaseHTTPRequestHandler):
    """One connection, one request."""

    timeout = PATIENCE_S
    server: Server

    def do_GET(self) -> None:
        """Answer, or 404."""
        pages: dict[str, Callable[[], tuple[int, str, bytes]]] = {
            "/health": self._health,
            "/ready": self._ready,
            "/metrics": self._metrics,
        }
        page = pages.get(self.path.partition("?")[0], self._unknown)
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

    def _health(self) -> tuple[int, str, bytes]:
        return _json(200, {"status": "ok"})

    def _ready(self) -> tuple[int, str, bytes]:
        parts = readiness.states({**readiness.STORES, **self.server.models})
        is_ready = set(parts.values()) == {"ok"}
        return _json(200 if is_ready else 503, {"ready": is_ready, "parts": parts})

    def _metrics(self) -> tuple[int, str, bytes]:
        encode, content_type = choose_encoder(self.headers.get("Accept", ""))
        return 200, content_type, prometheus.text(encode)

    def _unknown(self) -> tuple[int, str, bytes]:
        return _json(404, {"detail": "There are /health, /ready and /metrics."})


def _json(status: int, content: dict[str, object]) -> tuple[int, str, bytes]:
    return status, "application/json", json.dumps(content).encode()
