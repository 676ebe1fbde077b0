"""Badly behaved clients in a process of their own: `python -m tests.faults.rude BEHAVIOUR URL COUNT`.

It prints a line at the start. `silent` ends by itself once the server has closed every connection.
"""

import asyncio
import contextlib
import json
import random
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path
from urllib.parse import urlsplit

from interview_platform.demo.processes import end_with_parent
from tests.candidate import FRAME_BYTES, connected
from tests.frames import pack

ROOT = Path(__file__).resolve().parents[2]


@contextlib.contextmanager
def rude(behaviour: str, url: str, clients: int = 1) -> Iterator[subprocess.Popen[str]]:
    """Run this many badly behaved clients while the block runs."""
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.faults.rude", behaviour, url, str(clients)],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
        preexec_fn=end_with_parent(signal.SIGKILL),
    )
    try:
        assert process.stdout
        assert process.stdout.readline() == "begun\n", "the rude clients could not begin"
        yield process
    finally:
        process.kill()
        process.communicate()


async def never_read(url: str, clients: int) -> None:
    """Send speech as fast as the server accepts it, and read no reply."""
    async with connected(url) as candidate:
        await candidate.say("skip_practice")
        await candidate.event("practice_skipped")
        await candidate.begin()
        print("begun", flush=True)
        for offset in count(0, FRAME_BYTES):
            await candidate.socket.send(pack(offset % (50 * FRAME_BYTES), bytes(FRAME_BYTES)))


async def talk_garbage(url: str, clients: int) -> None:
    """Send invalid messages without end, as fast as the server replies; reconnect after a close."""
    print("begun", flush=True)
    while True:
        with contextlib.suppress(Exception):
            async with connected(url) as candidate:
                reading = asyncio.create_task(_read_all(candidate.socket))
                try:
                    while True:
                        await candidate.socket.send(_garbage())
                        await asyncio.sleep(0)
                finally:
                    reading.cancel()


async def _read_all(socket) -> None:
    async for _ in socket:
        pass


def _garbage() -> bytes | str:
    kinds: list[Callable[[], bytes | str]] = [
        lambda: random.randbytes(random.randrange(2000)),
        lambda: "{" * random.randrange(1, 2000),
        lambda: json.dumps({"type": "finish_answer", "answer": "nobody", "bytes": -1}),
        lambda: json.dumps({"type": "x" * 500}),
        lambda: pack(random.randrange(2**40), bytes(FRAME_BYTES)),
    ]
    return random.choice(kinds)()


async def be_silent(url: str, clients: int) -> None:
    """Connect and send nothing; every second client sends half a request."""
    address = urlsplit(url)
    opened = [await asyncio.open_connection(address.hostname, address.port) for _ in range(clients)]
    for _, writer in opened[::2]:
        writer.write(b"GET / HTTP/1.1\r\n")
    print("begun", flush=True)
    await asyncio.gather(*(reader.read() for reader, _ in opened), return_exceptions=True)


BEHAVIOURS = {"never reads": never_read, "garbage": talk_garbage, "silent": be_silent}

if __name__ == "__main__":
    asyncio.run(BEHAVIOURS[sys.argv[1]](sys.argv[2], int(sys.argv[3])))
