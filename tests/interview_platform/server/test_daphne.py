"""Our Daphne with a small application: clients that do not read, and clients that do not stop sending."""

import asyncio
import signal
import socket
import struct
import subprocess
import sys
from pathlib import Path

import httpx
import psutil
import pytest
import websockets
from websockets.frames import Frame, Opcode

from interview_platform.demo.embedded import end_with_parent, free_port

ROOT = Path(__file__).resolve().parents[3]
WITHIN_S = 120
PIECE_BYTES = 100_000
APPLICATION = """
import asyncio, sys
from pathlib import Path
from interview_platform.server import daphne
daphne.install()
noted = Path(sys.argv.pop())

async def application(scope, receive, send):
    if scope["type"] == "http":
        await receive()
        await send({"type": "http.response.start", "status": 200, "headers": []})
        for n in range(1000 if scope["path"] == "/pour" else 0):
            await send({"type": "http.response.body", "body": bytes(100_000), "more_body": True})
            noted.write_text(str(n))
        await send({"type": "http.response.body", "body": b"x" * 3_000_000})
        return
    await receive()
    await send({"type": "websocket.accept"})
    if scope["path"] == "/flood":
        for n in range(1000):
            await send({"type": "websocket.send", "bytes": bytes(100_000)})
            noted.write_text(str(n))
        await receive()
    if scope["path"] == "/never":
        await asyncio.sleep(60)
    while (message := await receive())["type"] != "websocket.disconnect":
        await send({"type": "websocket.send", "bytes": message["bytes"]})
    noted.write_text("disconnected")

sys.modules["app"] = sys.modules["__main__"]
from daphne.cli import CommandLineInterface
CommandLineInterface.entrypoint()
"""


@pytest.fixture
def noted(tmp_path) -> Path:
    return tmp_path / "noted"


@pytest.fixture
async def server(noted):
    """The server's process; `url` is its address."""
    port = free_port()
    process = started(port, noted)
    process.url = f"ws://127.0.0.1:{port}"
    try:
        await until(lambda: is_open(port))
        yield process
    finally:
        process.kill()
        process.wait()


def started(port: int, noted: Path, program: str = APPLICATION, **options) -> subprocess.Popen:
    command = [sys.executable, "-c", program, "-p", str(port), "-v", "0", "app:application", str(noted)]
    return subprocess.Popen(command, cwd=ROOT, preexec_fn=end_with_parent(signal.SIGKILL), **options)


def is_open(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


async def until(condition) -> None:
    """Wait for a condition without an event: a file that another process writes."""
    async with asyncio.timeout(WITHIN_S):
        while not condition():  # noqa: ASYNC110
            await asyncio.sleep(0.05)


def memory(process) -> int:
    return psutil.Process(process.pid).memory_info().rss


def reluctant(url: str) -> websockets.connect:
    """A client that does not read by itself: its library buffers a few messages, then TCP is full."""
    return websockets.connect(url, max_queue=1, ping_interval=None, max_size=None, compression=None)


async def settled(noted: Path) -> int:
    """Return the number once it has not changed for a while."""
    seen: list[str] = []

    def is_settled() -> bool:
        seen.append(noted.read_text() if noted.exists() else "")
        return len(seen) > 10 and len(set(seen[-10:])) == 1 and seen[-1] != ""

    await until(is_settled)
    return int(seen[-1])


async def test_sending_waits_for_a_client_that_does_not_read(server, noted):
    async with reluctant(f"{server.url}/flood") as client:
        sent = await settled(noted)
        held = memory(server)

        assert sent < 300  # the socket buffers of both sides; all messages would be 1000
        for _ in range(1000):
            assert len(await client.recv()) == PIECE_BYTES
        assert memory(server) - held < 20_000_000


async def test_response_in_pieces_waits_for_a_client_that_does_not_read(server, noted):
    async with httpx.AsyncClient(timeout=WITHIN_S) as client:
        async with client.stream("GET", server.url.replace("ws", "http") + "/pour") as response:
            sent = await settled(noted)
            held = memory(server)

            assert sent < 300  # the socket buffers of both sides; all pieces would be 1000
            received = sum([len(piece) async for piece in response.aiter_raw()])

        assert received == 1000 * PIECE_BYTES + 3_000_000
        assert memory(server) - held < 20_000_000
        again = await client.get(server.url.replace("ws", "http") + "/")  # on the same connection
        assert len(again.content) == 3_000_000


async def test_client_that_leaves_in_the_middle_of_a_response_ends_the_application(server, noted):
    async with httpx.AsyncClient(timeout=WITHIN_S) as client:
        async with client.stream("GET", server.url.replace("ws", "http") + "/pour"):
            await settled(noted)

    await until(lambda: noted.read_text() == "999")


@pytest.mark.parametrize("piece_bytes", [1, 7, 1000, 10_000_000])
async def test_messages_come_in_order_however_they_are_cut(server, piece_bytes):
    """Plain messages from the fast path, between messages that autobahn assembles."""
    said = [bytes([n]) * size for n, size in enumerate((0, 3, 125, 126, 300, 8008, 70_000, 1, 9000))]
    data = b"".join(
        [
            *(binary(payload) for payload in said[:4]),
            Frame(Opcode.PING, b"there?").serialize(mask=True),
            Frame(Opcode.BINARY, said[4][:100], fin=False).serialize(mask=True),
            Frame(Opcode.CONT, said[4][100:]).serialize(mask=True),
            *(binary(payload) for payload in said[5:]),
        ]
    )
    if piece_bytes == 1:
        data = data[:660]  # the rest is cut as well as any
    # The server hears no farewell after a message that has no end, so it is not waited for.
    options = {"ping_interval": None, "compression": None, "close_timeout": 0.1}
    async with websockets.connect(server.url, **options) as client:
        for start in range(0, len(data), piece_bytes):
            client.transport.write(data[start : start + piece_bytes])
            await asyncio.sleep(0.001 if piece_bytes < 1000 and start < 2000 else 0)
        whole = said[1:5] if piece_bytes == 1 else said[1:]  # the application gets no empty message
        async with asyncio.timeout(WITHIN_S):
            assert [await client.recv() for _ in whole] == whole


def binary(payload: bytes) -> bytes:
    """Build a frame as a client sends it."""
    return Frame(Opcode.BINARY, payload).serialize(mask=True)


async def test_client_that_leaves_while_it_is_waited_for_ends_the_application(server, noted):
    client = await reluctant(f"{server.url}/flood")
    await settled(noted)
    client.transport.abort()

    await until(lambda: noted.read_text() in ("999", "disconnected"))


async def test_client_that_is_not_heard_is_not_read_from(server):
    """If the application never reads, its messages stay with the client."""
    async with websockets.connect(f"{server.url}/never", ping_interval=None, compression=None) as client:
        before = memory(server)
        sent = 0

        async def send() -> None:
            nonlocal sent
            while sent < 100:
                await client.send(bytes(1_000_000))
                sent += 1

        sending = asyncio.create_task(send())
        done, _ = await asyncio.wait([sending], timeout=3)
        grown = memory(server) - before
        sending.cancel()
        await asyncio.wait([sending])

        assert not done
        assert sent < 30
        assert grown < 30_000_000
        client.transport.abort()


async def test_nothing_is_lost_when_much_is_sent_at_once(server, noted):
    async with websockets.connect(f"{server.url}/echo", max_size=None, max_queue=None) as client:
        for n in range(500):
            await client.send(n.to_bytes(2, "big") * 5000)
        received = [int.from_bytes((await client.recv())[:2], "big") for _ in range(500)]

    assert received == list(range(500))

    await until(lambda: noted.exists() and noted.read_text() == "disconnected")


@pytest.mark.parametrize("path", ["/ws/voice", "/ws/tts/"])
async def test_messages_with_files_may_be_large(server, path):
    async with websockets.connect(server.url + path, max_size=None) as client:
        await client.send(bytes(7_000_000))
        assert len(await client.recv()) == 7_000_000


@pytest.mark.parametrize(("path", "size"), [("/ws/asr", 2_000_000), ("/ws/voice", 9_000_000)])
async def test_larger_messages_close_the_connection(server, path, size):
    async with websockets.connect(server.url + path, max_size=None) as client:
        sending = asyncio.create_task(client.send(bytes(size)))
        with pytest.raises(websockets.ConnectionClosed) as closed:
            await client.recv()
        await asyncio.wait([sending])
        sending.exception()  # the connection may have been aborted
    assert closed.value.rcvd.code == 1009


async def test_http_is_served_as_before(server):
    async with httpx.AsyncClient() as client:
        response = await client.get(server.url.replace("ws", "http"))

    assert len(response.content) == 3_000_000


ON_UVLOOP = f"import interview_platform.server.__main__\n{APPLICATION}"
HANDSHAKE = (
    b"GET /echo HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
)


async def test_connections_that_broke_while_the_process_was_frozen_just_end(noted, tmp_path):
    """What they had sent still arrives; the echo of it, and closing them, is no error."""
    port, errors = free_port(), tmp_path / "errors"
    with errors.open("w") as output:
        process = started(port, noted, ON_UVLOOP, stderr=output)
    try:
        await until(lambda: is_open(port))
        clients = [speaking_client(port) for _ in range(10)]
        process.send_signal(signal.SIGSTOP)
        for client in clients:
            for _ in range(20):
                client.sendall(Frame(Opcode.BINARY, bytes(5000)).serialize(mask=True, extensions=[]))
            break_off(client)
        process.send_signal(signal.SIGCONT)
        await until(lambda: noted.exists() and noted.read_text() == "disconnected")
        async with websockets.connect(f"ws://127.0.0.1:{port}/echo") as another:
            await another.send(b"hello")
            assert await another.recv() == b"hello"
        process.send_signal(signal.SIGTERM)
        await asyncio.to_thread(process.wait, WITHIN_S)
    finally:
        process.kill()
        process.wait()
    assert errors.read_text() == ""


def speaking_client(port: int) -> socket.socket:
    client = socket.create_connection(("127.0.0.1", port))
    client.sendall(HANDSHAKE)
    assert b" 101 " in client.recv(4096)
    return client


def break_off(client: socket.socket) -> None:
    """End the connection by a reset, as the kernel of a host does that has gone away."""
    client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    client.close()
