"""Requests that are too large are refused while they arrive.

Daphne lets Twisted write the whole body of a request into a temporary file before Django sees the request,
and Twisted then reads forms into memory to parse them. `BoundedRequest` replies 413 as soon as Content-Length
or the received bytes exceed the limit of the address, drops the rest, and leaves parsing to Django.
`install()` makes Daphne use it.

Limits: `VOICE_MAX_BATCH_MB` for batches of files, `VOICE_MAX_UPLOAD_MB` for every other address, both plus
`FORM_BYTES`. The views check the limit of each file.

A body above `FORM_BYTES` is read only for callers whom the project knows. Nothing is read from the connection
until that is decided, and others get 401 before their body has come.
"""

import asyncio
import io
import json
from collections.abc import Awaitable, Callable
from typing import Any, BinaryIO, ClassVar, cast

from daphne import http_protocol
from django.conf import settings
from twisted.internet import reactor

from voice.web import problems

BATCHES = b"/api/v1/voice/batches"
OPENAI = b"/v1/"
FORM_BYTES = 64 * 1024
"""Allowance for a form's other fields and boundaries."""
# Most clients read the response only after they have sent everything. So the rest is read and dropped for a
# while: closing at once would reset the connection, and the client would never see the reason.
# Source: nginx, `lingering_close`.
LINGER_BYTES = 32 * 1024**2
LINGER_S = 10.0


Check = Callable[[dict[str, Any]], Awaitable[bytes | None]]
"""Takes the path, headers and client of a request, as in an ASGI scope. Returns None if its body may be read,
else the refusal, in JSON."""


class BoundedRequest(http_protocol.WebRequest):
    """A Daphne request with a body limit."""

    check: ClassVar[Check | None] = None
    """Decides whose large bodies are read."""

    def __init__(self, *args: object, **options: object) -> None:
        super().__init__(*args, parsePOSTFormSubmission=False, **options)
        self.content: BinaryIO
        self._limit_mb = 0
        self._received_bytes = 0
        self._dropped_bytes = 0
        self._is_refused = False
        self._checking: asyncio.Task[None] | None = None

    def gotLength(self, length: int | None) -> None:  # noqa: N802  Twisted's name
        """Check the body's length after the headers. length: None for a chunked body."""
        self._limit_mb = _limit_mb(self._address)
        is_too_large = length is not None and length > self._limit_bytes
        super().gotLength(0 if is_too_large else length)
        if is_too_large:
            self.requestHeaders.removeHeader(b"expect")  # no "100 Continue"
            self._refuse(self._too_large())
        elif (length is None or length > FORM_BYTES) and (check := BoundedRequest.check):
            self.channel._networkProducer.pauseProducing()  # noqa: SLF001  as Daphne does
            self._checking = asyncio.ensure_future(self._check(check))

    def handleContentChunk(self, data: bytes) -> None:  # noqa: N802  Twisted's name
        """Keep a piece of the body, or drop it above the limit."""
        if self._is_refused:
            self._drop(data)
            return
        self._received_bytes += len(data)
        if self._received_bytes > self._limit_bytes:
            self._refuse(self._too_large())
        else:
            super().handleContentChunk(data)

    def requestReceived(self, command: bytes, path: bytes, version: bytes) -> None:  # noqa: N802
        """Handle the complete request, or close the connection of a refused one."""
        if self._checking is not None:
            self._checking.cancel()  # the whole body came with the headers
        if self._is_refused:
            self.channel.loseConnection()
        else:
            self._state_length()
            super().requestReceived(command, path, version)

    def _state_length(self) -> None:
        """Give a body that came in chunks its length: Django reads no form and checks no limit without it."""
        if self.requestHeaders.hasHeader(b"transfer-encoding"):
            self.requestHeaders.removeHeader(b"transfer-encoding")
            self.requestHeaders.setRawHeaders(b"content-length", [b"%d" % self._received_bytes])

    def handle_exception(self, exception: BaseException) -> None:
        """Handle a failed application. A response that has started can only be aborted."""
        if self._response_started:
            self._abort()
        else:
            super().handle_exception(exception)

    @property
    def _limit_bytes(self) -> int:
        return self._limit_mb * 1024**2 + FORM_BYTES

    @property
    def _address(self) -> bytes:
        return getattr(self.channel, "_path", b"")

    def _too_large(self) -> bytes:
        return _too_large(self._limit_mb, self._address)

    async def _check(self, check: Check) -> None:
        sent = [(n.lower(), v) for n, values in self.requestHeaders.getAllRawHeaders() for v in values]
        path = self._address.decode("latin-1").partition("?")[0]
        scope = {"path": path, "headers": sent, "client": [getattr(self.client, "host", ""), 0]}
        try:
            refusal = await check(scope)
            if refusal is not None and self.channel is not None:
                headers = "WWW-Authenticate: Bearer\r\n"
                self._refuse(_response("401 Unauthorized", self._address, refusal, headers))
        finally:
            if self.channel is not None:
                self.channel._networkProducer.resumeProducing()  # noqa: SLF001

    def _refuse(self, response: bytes) -> None:
        self._is_refused = True
        self.content.close()  # deletes the temporary file
        self.content = io.BytesIO()
        transport = self.channel.transport
        transport.unregisterProducer()  # a half-closed connection must not have one
        transport.write(response)
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
    error = problems.problem(413, "too_large", detail, field="body")
    if address.startswith(OPENAI):
        from voice.web import openai_api  # imports models, which are not ready when Daphne starts

        error = {"error": openai_api.error_fields(413, "too_large", detail, "body")}
    return _response("413 Content Too Large", address, json.dumps(error).encode())


def _response(status: str, address: bytes, body: bytes, headers: str = "") -> bytes:
    kind = "application/json" if address.startswith(OPENAI) else problems.CONTENT_TYPE
    head = (
        f"HTTP/1.1 {status}\r\n"
        f"Content-Type: {kind}\r\n"
        f"Content-Length: {len(body)}\r\n{headers}"
        "Connection: close\r\n\r\n"
    )
    return head.encode() + body


def install(*, check: Check | None = None) -> None:
    """Make Daphne use bounded requests. Its factory looks up the class for each connection.

    check: decides whose large bodies are read; without it all are.
    """
    BoundedRequest.check = check
    http_protocol.WebRequest = BoundedRequest
