"""Requests that are too large are refused while they arrive.

Daphne lets Twisted write the whole body of a request into a temporary file before Django sees the request,
and Twisted then reads forms into memory to parse them. `BoundedRequest` replies 413 as soon as Content-Length
or the received bytes exceed the limit of the address, drops the rest, and leaves parsing to Django.
`install()` makes Daphne use it.

Limits: `VOICE_MAX_BATCH_MB` for batches of files, `VOICE_MAX_UPLOAD_MB` for every other address, both plus
`FORM_BYTES`. The views check the limit of each file.
"""

import io
import json
from typing import Any, BinaryIO, cast

from daphne import http_protocol
from django.conf import settings
from twisted.internet import reactor

BATCHES = b"/api/v1/voice/batches"
OPENAI = b"/v1/"
FORM_BYTES = 64 * 1024
"""Allowance for a form's other fields and boundaries."""
# Most clients read the response only after they have sent everything. So the rest is read and dropped for a
# while: closing at once would reset the connection, and the client would never see the reason.
# Source: nginx, `lingering_close`.
LINGER_BYTES = 32 * 1024**2
LINGER_S = 10.0


class BoundedRequest(http_protocol.WebRequest):
    """A Daphne request with a body limit."""

    def __init__(self, *args: object, **options: object) -> None:
        super().__init__(*args, parsePOSTFormSubmission=False, **options)
        self.content: BinaryIO
        self._limit_mb = 0
        self._received_bytes = 0
        self._dropped_bytes = 0
        self._is_refused = False

    def gotLength(self, length: int | None) -> None:  # noqa: N802  Twisted's name
        """Check the body's length after the headers. length: None for a chunked body."""
        self._limit_mb = _limit_mb(getattr(self.channel, "_path", b""))
        is_too_large = length is not None and length > self._limit_bytes
        super().gotLength(0 if is_too_large else length)
        if is_too_large:
            self.requestHeaders.removeHeader(b"expect")  # no "100 Continue"
            self._refuse()

    def handleContentChunk(self, data: bytes) -> None:  # noqa: N802  Twisted's name
        """Keep a piece of the body, or drop it above the limit."""
        if self._is_refused:
            self._drop(data)
            return
        self._received_bytes += len(data)
        if self._received_bytes > self._limit_bytes:
            self._refuse()
        else:
            super().handleContentChunk(data)

    def requestReceived(self, command: bytes, path: bytes, version: bytes) -> None:  # noqa: N802
        """Handle the complete request, or close the connection of a refused one."""
        if self._is_refused:
            self.channel.loseConnection()
        else:
            super().requestReceived(command, path, version)

    def handle_exception(self, exception: BaseException) -> None:
        """Handle a failed application. A response that has started can only be aborted."""
        if self._response_started:
            self._abort()
        else:
            super().handle_exception(exception)

    @property
    def _limit_bytes(self) -> int:
        return self._limit_mb * 1024**2 + FORM_BYTES

    def _refuse(self) -> None:
        self._is_refused = True
        self.content.close()  # deletes the temporary file
        self.content = io.BytesIO()
        transport = self.channel.transport
        transport.unregisterProducer()  # a half-closed connection must not have one
        transport.write(_too_large(self._limit_mb, getattr(self.channel, "_path", b"")))
        transport.loseWriteConnection()
        lingering: Any = cast("Any", reactor).callLater(LINGER_S, self._abort)
        self.notifyFinish().addErrback(lambda _: lingering.cancel() if lingering.active() else None)

    def _drop(self, data: bytes) -> None:
        self._dropped_bytes += len(data)
        if self._dropped_bytes > LINGER_BYTES:
            self._abort()

    def _abort(self) -> None:
        if self.channel is not None:
            self.channel.transport.abortConnection()


def _limit_mb(address: bytes) -> int:
    limits = settings.VOICE
    return limits["MAX_BATCH_MB" if address.startswith(BATCHES) else "MAX_UPLOAD_MB"]


def _too_large(limit_mb: int, address: bytes) -> bytes:
    detail = f"body: send at most {limit_mb} MB."
    error: dict[str, Any] = {"code": "too_large", "detail": detail, "field": "body"}
    if address.startswith(OPENAI):
        from voice.web import openai_api  # imports models, which are not ready when Daphne starts

        error = {"error": openai_api.error_fields(413, "too_large", detail, "body")}
    body = json.dumps(error).encode()
    head = (
        "HTTP/1.1 413 Content Too Large\r\n"
        "Content-Type: application/json\r\n"
        f"Content-Length: {len(body)}\r\n"
        "Connection: close\r\n\r\n"
    )
    return head.encode() + body


def install() -> None:
    """Make Daphne use bounded requests. Its factory looks up the class for each connection."""
    http_protocol.WebRequest = BoundedRequest
