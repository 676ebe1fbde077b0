"""The stand-in for vendors with a WebSocket API."""

from __future__ import annotations

import http
import socket
import threading
from typing import Any

from websockets.datastructures import Headers
from websockets.exceptions import ConnectionClosed
from websockets.http11 import Response
from websockets.sync.server import ServerConnection, serve

from tests.vendors.server import Departure, Moods


class VendorSocket(Moods):
    """A WebSocket stand-in. Subclasses check the opening request, then exchange messages."""

    def __enter__(self) -> VendorSocket:
        self._server = serve(
            self._serve, "127.0.0.1", 0, process_request=self._opened, max_size=None, close_timeout=1
        )
        self._thread = threading.Thread(target=self._server.serve_forever, name="vendor")
        self._thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        self.released.set()
        self._server.shutdown()
        self._thread.join()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.socket.getsockname()[1]}"

    def check(self, request: Any) -> Response | None:
        """Check the opening request; a returned response refuses the WebSocket."""
        raise NotImplementedError

    def converse(self, connection: ServerConnection) -> None:
        raise NotImplementedError

    def _opened(self, connection: ServerConnection, request: Any) -> Response | None:
        self.requests += 1
        try:
            answer = self.check(request)
        except (Departure, KeyError, ValueError, TypeError) as error:
            self.complaints.append(f"{request.path.split('?')[0]}: {error!r}")
            return response(400, b"departure")
        if isinstance(self.mood, int):
            refusal = response(self.mood, b"refused")
            if self.location:
                refusal.headers["Location"] = self.location.replace("http", "ws", 1)
            return refusal
        if answer is not None and self.mood == "nonsense":
            return response(200, b"<html>")
        return answer

    def _serve(self, connection: ServerConnection) -> None:
        try:
            if self.mood == "hang":
                self.hang()
            elif self.mood == "break":
                connection.recv(timeout=60)
                connection.socket.shutdown(socket.SHUT_RDWR)
            elif self.mood == "nonsense":
                connection.recv(timeout=60)
                connection.send("<html>Please sign in.</html>")
                connection.recv(timeout=60)
            else:
                self.converse(connection)
        except (Departure, KeyError, ValueError, TypeError) as error:
            self.complaints.append(repr(error))
            connection.close(1008, "departure")
        except (ConnectionClosed, TimeoutError):
            pass


def response(status: int, body: bytes, content_type: str = "text/plain") -> Response:
    headers = Headers(
        [("Content-Type", content_type), ("Content-Length", str(len(body))), ("Connection", "close")]
    )
    try:
        phrase = http.HTTPStatus(status).phrase
    except ValueError:
        phrase = "Other"
    return Response(status, phrase, headers, body)
