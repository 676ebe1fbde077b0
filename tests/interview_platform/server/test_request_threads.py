"""Our handler works as Django's does, with reused threads."""

import asyncio
import threading
from contextlib import suppress

import pytest
from asgiref.sync import sync_to_async
from django.core.signals import request_finished
from django.db import connection, connections
from django.http import HttpResponse
from django.urls import path

from interview_platform.server import request_threads

PATIENCE_S = 120
threads: list[int] = []
release = threading.Event()
has_begun = threading.Event()


async def plain(request):
    return HttpResponse("done")


def reads(request):
    threads.append(threading.get_ident())
    connection.ensure_connection()
    return HttpResponse("read")


def waits(request):
    threads.append(threading.get_ident())
    connection.ensure_connection()
    has_begun.set()
    release.wait(PATIENCE_S)
    return HttpResponse("late")


urlpatterns = [path("plain", plain), path("reads", reads), path("waits", waits)]


@pytest.fixture(autouse=True)
def pages(settings):
    settings.ROOT_URLCONF = __name__
    threads.clear()
    release.clear()
    has_begun.clear()


@pytest.fixture
def handler():
    return request_threads.Handler()


@pytest.fixture
def finished():
    """The threads that sent `request_finished`."""
    seen: list[int] = []

    def finish(**_):
        seen.append(threading.get_ident())

    request_finished.connect(finish)
    yield seen
    request_finished.disconnect(finish)


class Client:
    """One request; `leave()` disconnects the client."""

    def __init__(self, handler, address):
        scope = {
            "type": "http",
            "method": "GET",
            "path": address,
            "query_string": b"",
            "headers": [(b"host", b"127.0.0.1")],
        }
        self.sent: list[dict] = []
        self._inbox: asyncio.Queue = asyncio.Queue()
        self._inbox.put_nowait({"type": "http.request", "body": b"", "more_body": False})
        self.serving = asyncio.ensure_future(handler(scope, self._inbox.get, self._send))

    async def _send(self, message):
        self.sent.append(message)

    def leave(self):
        self._inbox.put_nowait({"type": "http.disconnect"})

    async def body(self) -> bytes:
        async with asyncio.timeout(PATIENCE_S):
            await self.serving
        return b"".join(message.get("body", b"") for message in self.sent)


async def in_time(event: threading.Event) -> None:
    assert await sync_to_async(event.wait, thread_sensitive=False)(PATIENCE_S)


async def test_page_that_runs_nothing_in_a_thread_has_none(handler, finished):
    assert await Client(handler, "/plain").body() == b"done"
    assert finished == [threading.get_ident()]


@pytest.mark.django_db(transaction=True)
class TestThreads:
    @pytest.fixture(autouse=True)
    def closed(self):
        yield
        connections.close_all()

    async def test_thread_is_used_again_and_gives_its_connection_back(self, handler, finished):
        for _ in range(3):
            assert await Client(handler, "/reads").body() == b"read"
        assert len(set(threads)) == 1
        assert finished == threads, "where the connection was opened it is closed"

    async def test_two_at_once_have_a_thread_each(self, handler):
        waiting = Client(handler, "/waits")
        await in_time(has_begun)
        assert await Client(handler, "/reads").body() == b"read"
        release.set()
        assert await waiting.body() == b"late"
        assert len(set(threads)) == 2

    async def test_thread_of_a_client_that_left_is_nobody_elses_before_its_end(self, handler, finished):
        gone = Client(handler, "/waits")
        await in_time(has_begun)
        gone.leave()
        assert await Client(handler, "/reads").body() == b"read"
        assert threads[0] != threads[1]
        release.set()
        assert await gone.body() == b""
        assert finished == [threads[1], threads[0]]

    async def test_request_that_the_server_ends_gives_its_connection_back(self, handler, finished):
        ended = Client(handler, "/waits")
        await in_time(has_begun)
        ended.serving.cancel()
        release.set()
        with suppress(asyncio.CancelledError):
            await ended.body()
        assert finished == threads
