"""A minimal server for the same frames: Daphne, and an application that acknowledges them.

Anything that the platform's web processes use beyond this is the platform's own cost.
"""

import asyncio
import contextlib
import json
import os
import random
import subprocess
import sys
import time
from collections.abc import Iterator
from typing import Any

from interview_platform.demo import __main__, programs
from interview_platform.demo.processes import end_with_parent
from tests.benchmarks.load.connection import Connection, Owner
from tests.benchmarks.load.measures import Figures
from tests.benchmarks.load.pace import Pace
from tests.benchmarks.load.population import Balance, Plan
from tests.benchmarks.load.speech import Speech
from tests.benchmarks.load.take import Take
from tests.benchmarks.load.uploader import Uploader
from voice.recordings import frames

PROCESSES = 2
FIRST_MESSAGE = {"type": "snapshot"}


async def application(scope: dict[str, Any], receive: Any, send: Any) -> None:
    """ASGI: accept, send one message, acknowledge every frame and reply to every ping."""
    if scope["type"] != "websocket":
        return
    await receive()
    await send({"type": "websocket.accept"})
    await send({"type": "websocket.send", "text": json.dumps(FIRST_MESSAGE)})
    while (event := await receive())["type"] == "websocket.receive":
        if data := event.get("bytes"):
            frame = frames.unpack(data)
            message = {"type": "ack", "offset": frame.offset + len(frame.pcm)}
        else:
            message = {"type": "pong"}
        await send({"type": "websocket.send", "text": json.dumps(message)})


@contextlib.contextmanager
def bare_daphne() -> Iterator[str]:
    """Run it in as many processes as the demo's web program has. Yields the address."""
    with contextlib.ExitStack() as running:
        listener = running.enter_context(__main__.listening_socket("127.0.0.1", 0))
        fd = listener.fileno()
        command = [sys.executable, "-m", "daphne", "--fd", str(fd), "--verbosity", "0"]
        for _ in range(PROCESSES):
            process = subprocess.Popen(
                [*command, "tests.benchmarks.load.bare:application"],
                cwd=programs.ROOT,
                env={**os.environ, "PYTHONPATH": str(programs.ROOT)},
                pass_fds=(fd,),
                preexec_fn=end_with_parent(9),
            )
            running.callback(process.wait)
            running.callback(process.terminate)
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"


class _Speaker(Owner):
    """A client that sends answers with the pauses of interviews, and nothing else."""

    def __init__(self, url: str, pace: Pace, figures: Figures) -> None:
        self.pace, self.figures = pace, figures
        self.connection = Connection("/", url, owner=self, pace=pace, figures=figures)
        self.uploader = Uploader(self.connection, to_offer=list)
        self._take: Take | None = None
        self._is_there, self._is_held = asyncio.Event(), asyncio.Event()

    def heard(self, message: dict) -> None:
        self.figures.connect_ms.add(1000 * (time.monotonic() - self.connection.began_at))
        self._is_there.set()

    def acked(self, offset: int, now: float) -> None:
        self.uploader.acked(offset, now)
        if self._take and self._take.acked >= self._take.limit:
            self._is_held.set()

    async def speak(self, plan: Plan, speech: Speech, dice: random.Random) -> None:
        self.connection.open()
        try:
            await self._is_there.wait()
            balance = Balance(plan.speaking_share)
            while True:
                silence_s, seconds = balance.next(dice)
                await asyncio.sleep(silence_s)
                await self._answer(speech.utterance(seconds))
                balance.spoken_s += seconds
        finally:
            await self.connection.leave()

    async def _answer(self, pcm: memoryview) -> None:
        take = self._take = Take(pcm, answer_id="", figures=self.figures)
        take.begin(time.monotonic(), len(pcm))
        self.uploader.resumed(take, 0)
        self.figures.speaking += 1
        self.pace.frames.add(self._beat)
        self._is_held.clear()
        await self._is_held.wait()
        self.pace.frames.remove(self._beat)
        self.figures.speaking -= 1

    def _beat(self, now: float) -> None:
        assert self._take
        self._take.speak(now)
        self.uploader.wake(now)


async def speak_to_bare(url: str, plan: Plan, pace: Pace, figures: Figures) -> None:
    """Run all clients of the plan, without interviews, until cancelled."""
    speech, dice = Speech(), random.Random(plan.seed)

    async def one(after_s: float) -> None:
        await asyncio.sleep(after_s)
        await _Speaker(url, pace, figures).speak(plan, speech, dice)

    await asyncio.gather(*(one(n / plan.arrivals_a_second) for n in range(plan.candidates)))
