"""Each request and each WebSocket gets an id, and a span where traces are on.

The id comes from the proxy's `X-Request-ID`, if it has the form of one, else it is made here. It is in every
line of the JSON log that the request leads to, in every job, and in the response. The trace goes on from the
proxy's `traceparent` if TRACE_OF_PROXY says that it sets one: strangers must not choose what is sampled.

Source: W3C Trace Context; OpenTelemetry, semantic conventions for HTTP spans.
"""

from collections.abc import Awaitable, Callable
from typing import Any

from django.conf import settings

from interview_platform.backends import logs
from interview_platform.server import access_log
from voice.infra import correlation, tracing

Scope = dict[str, Any]
Message = dict[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Application = Callable[[Scope, Receive, Send], Awaitable[None]]

HEADER = b"x-request-id"
STARTS = ("http.response.start", "websocket.accept", "websocket.close")
"""The messages that answer a request, or the handshake of a WebSocket."""


class Correlated:
    """An ASGI application inside this one; see the module."""

    def __init__(self, application: Application) -> None:
        self._application = application

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers = dict(scope["headers"])
        request_id = _accepted(_text(headers, HEADER)) or correlation.new()
        serve = (
            self._traced if tracing.is_on() and scope["path"] not in settings.PROBES else self._application
        )
        with correlation.serving(request_id):
            await serve(scope, receive, _naming(request_id, send) if scope["type"] == "http" else send)

    async def _traced(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve in a span: of the request, or of a WebSocket's handshake alone, for it may stay an hour."""
        told = _text(dict(scope["headers"]), b"traceparent") if settings.TRACE_OF_PROXY else ""
        method = scope.get("method", "GET")
        route = access_log.route_of(scope)
        context = tracing.begin(
            f"{method} {route}",
            "SERVER",
            parent=tracing.remote(told),
            attributes={
                "http.request.method": method,
                "http.route": route,
                "url.scheme": scope.get("scheme", "http"),
                tracing.REQUEST_ID: correlation.request_id(),
            },
        )
        try:
            with tracing.within(context):
                await self._application(scope, receive, _ending(context, scope["type"], send))
        finally:
            tracing.end(context)


def _naming(request_id: str, send: Send) -> Send:
    """Return `send`, with the request's id among the headers of the response."""

    async def named(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = [*message.get("headers", ()), (HEADER, request_id.encode())]
            message = {**message, "headers": headers}
        await send(message)

    return named


def _ending(context: Any, kind: str, send: Send) -> Send:
    """Return `send`, which tells the span the status; the span of a handshake ends there."""

    is_answered = False

    async def told(message: Message) -> None:
        nonlocal is_answered
        await send(message)
        if not is_answered and message["type"] in STARTS:
            is_answered = True
            status = message.get("status", 101 if message["type"] == "websocket.accept" else 403)
            tracing.answered(context, status)
            if kind == "websocket":
                tracing.end(context)

    return told


def _accepted(told: str) -> str:
    """Return the proxy's id; "" if it is none, or looks like something that opens an interview."""
    is_one = bool(correlation.accepted(told)) and logs.without_secrets(told) == told
    return told if is_one else ""


def _text(headers: dict[bytes, bytes], name: bytes) -> str:
    return headers.get(name, b"").decode("latin-1")
