"""A stopping web process with a small application, as its clients see it."""

import asyncio
import contextlib
import signal
import socket
import subprocess
import sys
from pathlib import Path

import httpx
import pytest
import websockets

from interview_platform.demo.processes import end_with_parent

ROOT = Path(__file__).resolve().parents[3]
WITHIN_S = 120
APPLICATION = """
import asyncio, sys
from interview_platform.server import daphne, drain
daphne.install(drain_s=float(sys.argv.pop()))

async def http(scope, receive, send):
    await receive()
    if scope["path"] == "/slow":
        await asyncio.sleep(1)
    body = b"leaving" if drain.is_draining() else b"here"
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": body})

async def websocket(scope, receive, send):
    await receive()
    await send({"type": "websocket.accept"})
    if scope["path"].startswith("/close/"):
        await send({"type": "websocket.close", "code": int(scope["path"][7:])})
        await send({"type": "websocket.send", "text": "too late"})
    may_end, handled = asyncio.Event(), 0
    async def answer():
        await may_end.wait()
        await send({"type": "websocket.send", "text": "the answer"})
    while (message := await receive())["type"] != "websocket.disconnect":
        if message["text"] == "ask":
            task = asyncio.create_task(answer())
            scope["tasks"].add(task)
        if message["text"] == "end":
            may_end.set()
        await asyncio.sleep(0.02)
        handled += 1
        await send({"type": "websocket.send", "text": message["text"]})
    print("handled", handled, flush=True)

async def application(scope, receive, send):
    await (http if scope["type"] == "http" else websocket)(scope, receive, send)

sys.modules["app"] = sys.modules["__main__"]
from daphne.cli import CommandLineInterface
CommandLineInterface.entrypoint()
"""


class Server:
    """A server process on a shared socket."""

    def __init__(self, listener: socket.socket, drain_s: float) -> None:
        number = listener.fileno()
        self.address = f"127.0.0.1:{listener.getsockname()[1]}"
        arguments = ("--fd", str(number), "-v", "0", "app:application", str(drain_s))
        self.process = subprocess.Popen(
            [sys.executable, "-c", APPLICATION, *arguments],
            cwd=ROOT,
            pass_fds=(number,),
            stdout=subprocess.PIPE,
            preexec_fn=end_with_parent(signal.SIGKILL),
        )

    def connect(self, path: str = "/", **options) -> websockets.connect:
        return websockets.connect(f"ws://{self.address}{path}", ping_interval=None, **options)

    def stop(self) -> None:
        self.process.send_signal(signal.SIGTERM)

    async def ended(self) -> int:
        return await asyncio.to_thread(self.process.wait, WITHIN_S)


@pytest.fixture
async def serve():
    """Start a server; all servers of a test share one socket."""
    with contextlib.ExitStack() as running, socket.create_server(("127.0.0.1", 0)) as listener:

        async def serve(drain_s: float = 0) -> Server:
            server = Server(listener, drain_s)
            running.enter_context(server.process)
            running.callback(server.process.kill)
            async with server.connect():  # the kernel queues it until the process accepts
                return server

        yield serve


async def closed_with(client) -> int:
    """Return the server's close code, ignoring earlier messages."""
    async for _message in until_closed(client):
        pass
    return client.close_code


async def until_closed(client):
    """Return the messages that the server sends before it closes."""
    with contextlib.suppress(websockets.ConnectionClosed):
        async with asyncio.timeout(WITHIN_S):
            while True:
                yield await client.recv()


async def echo(client, text: str) -> str:
    await client.send(text)
    return await asyncio.wait_for(client.recv(), WITHIN_S)


async def test_sockets_are_closed_one_after_the_other(serve):
    server = await serve(drain_s=6)
    async with server.connect() as one, server.connect() as other, server.connect() as third:
        clients = [one, other, third]
        for client in clients:
            await echo(client, "hello")
        server.stop()
        closings = [asyncio.create_task(client.wait_closed()) for client in clients]
        done, waiting = await asyncio.wait(closings, timeout=WITHIN_S, return_when=asyncio.FIRST_COMPLETED)

        assert len(done) == 1
        for closing in waiting:
            assert await echo(clients[closings.index(closing)], "still here") == "still here"
        assert [await closed_with(client) for client in clients] == [1012, 1012, 1012]
        assert await server.ended() == 0


async def test_sockets_are_closed_though_a_request_has_just_ended(serve):
    server = await serve()
    async with server.connect() as client, httpx.AsyncClient() as browser:
        await echo(client, "hello")
        await browser.get(f"http://{server.address}/")
        server.stop()

        assert await closed_with(client) == 1012
        assert await server.ended() == 0


async def test_what_came_before_the_close_is_handled(serve):
    server = await serve()
    async with server.connect() as client:
        await echo(client, "hello")
        for n in range(30):
            await client.send(str(n))
        server.stop()
        assert await closed_with(client) == 1012
        assert await server.ended() == 0
        assert b"handled 31\n" in server.process.stdout.read()


async def test_new_connections_go_to_another_process(serve):
    leaving = await serve(drain_s=60)
    async with leaving.connect() as first, leaving.connect() as second:
        await echo(first, "hello")
        await echo(second, "hello")
        staying = await serve()
        leaving.stop()
        await closed_with(first)
        for _ in range(20):
            async with staying.connect() as client:
                assert await echo(client, "hello") == "hello"
        assert await echo(second, "still here") == "still here"


async def test_request_under_way_is_finished_and_its_connection_closed(serve):
    server = await serve()
    async with httpx.AsyncClient(base_url=f"http://{server.address}") as client, server.connect() as witness:
        asked = asyncio.create_task(client.get("/slow"))
        await echo(witness, "the request has come")
        server.stop()
        response = await asked

    assert response.text == "leaving"
    assert response.headers["connection"] == "close"
    assert await server.ended() == 0


async def test_process_with_nobody_ends(serve):
    server = await serve(drain_s=3600)
    server.stop()
    assert await server.ended() == 0


async def test_second_signal_ends_at_once(serve):
    server = await serve(drain_s=3600)
    async with server.connect() as one, server.connect() as other:
        await echo(one, "hello")
        await echo(other, "hello")
        server.stop()
        assert await closed_with(one) == 1012
        server.stop()
        assert await server.ended() == 0


async def test_answer_that_is_being_made_comes_first(serve):
    server = await serve(drain_s=3600)
    async with server.connect() as client:
        await echo(client, "ask")
        server.stop()
        assert await echo(client, "still here") == "still here"
        assert await echo(client, "end") == "the answer"
        assert await closed_with(client) == 1012
        assert await server.ended() == 0


async def test_answer_that_takes_too_long_is_not_waited_for(serve):
    server = await serve(drain_s=0.1)
    async with server.connect() as client:
        await echo(client, "ask")
        server.stop()
        assert await closed_with(client) == 1012
        assert await server.ended() == 0


@pytest.mark.parametrize("code", [1000, 1008, 1011, 1012, 1013, 4001])
async def test_applications_close_with_any_code(serve, code):
    server = await serve()
    async with server.connect(f"/close/{code}") as client:
        assert [message async for message in until_closed(client)] == []
    assert client.close_code == code
    server.stop()
    assert await server.ended() == 0
    assert server.process.stdout.read() == b"handled 0\n" * 2  # the one that saw the start, and this one


async def test_sockets_are_not_compressed(serve):
    server = await serve()
    async with server.connect(compression="deflate") as client:
        assert client.protocol.extensions == []
