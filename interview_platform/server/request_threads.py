"""Django's request handler, with reused threads, and without a thread if none is needed.

Django starts a thread for each request, sends its signals and closes the response there, and waits for its
end; the ORM is set up again in each thread. That costs half a millisecond of CPU, mostly to manage
connections that were not opened. Here a request borrows a thread, and skips it at the end if it was unused.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from contextvars import ContextVar
from typing import Any

import django
from asgiref.sync import ThreadSensitiveContext, sync_to_async
from django.conf import settings
from django.core import signals
from django.core.exceptions import RequestAborted
from django.core.handlers.asgi import ASGIHandler, get_script_prefix
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.urls import set_script_prefix

Scope = Mapping[str, Any]
Receive = Callable[[], Awaitable[Mapping[str, Any]]]
Send = Callable[[Mapping[str, Any]], Awaitable[None]]

_thread: ContextVar["RequestThread"] = ContextVar("thread")


IDLE_AT_MOST = 16
"""Idle threads that are kept. Each running request has one thread."""


class RequestThread(ThreadPoolExecutor):
    """One thread for one request at a time. It starts on first use."""

    def __init__(self) -> None:
        super().__init__(1, "request")
        self.is_used = False

    def submit(self, *args: Any, **kwargs: Any) -> Future[Any]:
        """Submit a call, and remember that the thread was used."""
        self.is_used = True
        return super().submit(*args, **kwargs)


class Handler(ASGIHandler):
    """Request handler with reused threads; see the module."""

    def __init__(self) -> None:
        super().__init__()
        self._idle: list[RequestThread] = []

    def load_middleware(self, is_async: bool = False) -> None:
        """Load our versions of the middleware in the settings."""
        from interview_platform.backends.middleware import INLINE  # reads the settings

        originals = settings.MIDDLEWARE
        settings.MIDDLEWARE = [INLINE.get(name, name) for name in originals]
        try:
            super().load_middleware(is_async)
        finally:
            settings.MIDDLEWARE = originals

    async def __call__(self, scope: dict[str, Any], receive: Receive, send: Send) -> None:
        """Serve one request with a thread of its own."""
        thread = self._idle.pop() if self._idle else RequestThread()
        thread.is_used = False
        try:
            async with ThreadSensitiveContext(executor=thread):
                _thread.set(thread)
                await super().__call__(scope, receive, send)
        finally:
            if len(self._idle) < IDLE_AT_MOST:
                self._idle.append(thread)
            else:
                thread.shutdown(wait=False)

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request, in the same steps as the overridden method."""
        try:
            body = await self.read_body(receive)
        except RequestAborted:
            return
        with body:
            set_script_prefix(get_script_prefix(scope))
            signals.request_started.send(sender=self.__class__, scope=scope)
            request, refusal = self.create_request(scope, body)
            if request is None:
                assert refusal is not None, "one of the two is made"
                await self.send_response(refusal, send)
                await _finish(refusal.close)
                return
            response = None
            try:
                response = await self._answer_unless_gone(request, receive, send)
            finally:
                await _finish(response.close if response else self._say_finished)

    async def _answer_unless_gone(
        self, request: HttpRequest, receive: Receive, send: Send
    ) -> HttpResponseBase | None:
        """Return the response, or None if the client disconnected first."""
        watching = asyncio.create_task(self.listen_for_disconnect(receive))
        answering = asyncio.create_task(self._answer(request, send))
        try:
            await asyncio.wait([watching, answering], return_when=asyncio.FIRST_COMPLETED)
        finally:  # later the thread belongs to another request
            watching.cancel()
            answering.cancel()
            await asyncio.gather(watching, answering, return_exceptions=True)
        if not watching.cancelled():  # raising it here would create a reference cycle
            error = watching.exception()
            if error is not None and not isinstance(error, RequestAborted):
                raise error
        return None if answering.cancelled() else answering.result()

    async def _answer(self, request: HttpRequest, send: Send) -> HttpResponseBase:
        response = await self.run_get_response(request)
        with suppress(asyncio.CancelledError):  # the client is gone; the response must still be closed
            await self.send_response(response, send)
        return response

    def _say_finished(self) -> None:
        signals.request_finished.send(sender=self.__class__)


async def _finish(close: Callable[[], object]) -> None:
    """Run `close`, which releases the request's connections: in its thread, if the request used it."""
    if _thread.get().is_used:
        await sync_to_async(close)()
    else:
        close()


def application() -> Handler:
    """Load the apps and return the handler of all requests."""
    django.setup(set_prefix=False)
    return Handler()
