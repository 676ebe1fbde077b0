"""Django's handler of requests, with threads that are used again, and none where none is needed.

Django starts a thread for each request, sends its signals and closes the response there, and waits for its
end; and the ORM sets itself up in it from nothing. Half a millisecond of CPU, for what is mostly the care of
connections that nobody opened. Here a request borrows a thread, and one that ran nothing in it ends without.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from contextvars import ContextVar
from typing import Any

import django
from asgiref.sync import ThreadSensitiveContext, sync_to_async
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
"""Threads that are kept; there are as many as requests at once."""


class RequestThread(ThreadPoolExecutor):
    """One thread, for one request at a time; it starts when it is first needed."""

    def __init__(self) -> None:
        super().__init__(1, "request")
        self.is_used = False

    def submit(self, *args: Any, **kwargs: Any) -> Future[Any]:
        """As any executor does."""
        self.is_used = True
        return super().submit(*args, **kwargs)


class Handler(ASGIHandler):
    """See the module."""

    def __init__(self) -> None:
        super().__init__()
        self._idle: list[RequestThread] = []

    async def __call__(self, scope: dict[str, Any], receive: Receive, send: Send) -> None:
        """Serve one request with a thread that it has for itself."""
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
        """Serve one request; the steps are those of the method that this one overrides."""
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
        """The response; None if the client went away before there was one."""
        watching = asyncio.create_task(self.listen_for_disconnect(receive))
        answering = asyncio.create_task(self._answer(request, send))
        try:
            await asyncio.wait([watching, answering], return_when=asyncio.FIRST_COMPLETED)
        finally:  # the thread is another request's when this one ends
            watching.cancel()
            answering.cancel()
            await asyncio.gather(watching, answering, return_exceptions=True)
        if not watching.cancelled():  # to raise it here would tie the whole request into a cycle
            error = watching.exception()
            if error is not None and not isinstance(error, RequestAborted):
                raise error
        return None if answering.cancelled() else answering.result()

    async def _answer(self, request: HttpRequest, send: Send) -> HttpResponseBase:
        response = await self.run_get_response(request)
        with suppress(asyncio.CancelledError):  # the client is gone; the response is still to be closed
            await self.send_response(response, send)
        return response

    def _say_finished(self) -> None:
        signals.request_finished.send(sender=self.__class__)


async def _finish(close: Callable[[], object]) -> None:
    """Call what gives back the connections that the request opened: in its thread, if it used it."""
    if _thread.get().is_used:
        await sync_to_async(close)()
    else:
        close()


def application() -> Handler:
    """Load the apps, and return what serves every request."""
    django.setup(set_prefix=False)
    return Handler()
