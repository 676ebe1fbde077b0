"""A candidate without a browser: consent over HTTP, then the WebSocket as the page uses it."""

import asyncio
import json
import re
import time
from contextlib import asynccontextmanager
from urllib.parse import urlsplit

import httpx
import websockets

from tests.frames import pack

FRAME_BYTES = 8000
FRAME_S = 0.25


async def consent(invitation_url: str) -> None:
    """Give consent on the landing page, as a browser posts the form."""
    async with httpx.AsyncClient(follow_redirects=True) as client:
        page = await client.get(invitation_url)
        page.raise_for_status()
        form = consent_form(page.text) | {"csrfmiddlewaretoken": client.cookies["csrftoken"]}
        response = await client.post(invitation_url, data=form, headers={"Referer": invitation_url})
        response.raise_for_status()


def consent_form(landing: str) -> dict[str, str]:
    """The fields of the landing page's form, filled in by a candidate who agrees to the text on it."""
    shown = re.search(r'name="shown" value="(\w+)"', landing)
    return {"consent": "on", "shown": shown[1] if shown else ""}


class Candidate:
    """One connection. `state` follows the snapshot and the events."""

    def __init__(self, socket: websockets.ClientConnection) -> None:
        self.socket = socket
        self.state: dict = {}
        self.messages: list[dict] = []
        self.acked = 0

    async def receive(self, within_s: float = 120) -> dict:
        """The next message, applied to `state`."""
        message = json.loads(await asyncio.wait_for(self.socket.recv(), within_s))
        self.messages.append(message)
        if message["type"] == "snapshot":
            self.state = message
        elif message["type"] == "event":
            self._apply(message)
        elif message["type"] == "ack":
            self.acked = message["offset"]
        return message

    def _apply(self, event: dict) -> None:
        changed = event.get("answer")
        self.state["session"] = event["session"]
        answers = {answer["id"]: answer for answer in self.state["answers"]}
        if changed:
            answers[changed["id"]] = changed  # a follow-up question is new
        self.state["answers"] = sorted(answers.values(), key=lambda a: (a["position"], a["follow_up"]))

    async def until(self, is_wanted, within_s: float = 180) -> dict:
        """The next message for which `is_wanted(message)`; an unexpected error ends the wait."""
        deadline = time.monotonic() + within_s
        while True:
            message = await self.receive(max(0.01, deadline - time.monotonic()))
            if is_wanted(message):
                return message
            assert message["type"] != "error", message

    async def event(self, name: str, within_s: float = 180) -> dict:
        return await self.until(lambda m: m["type"] == "event" and m["name"] == name, within_s)

    async def say(self, kind: str, **fields) -> None:
        await self.socket.send(json.dumps({"type": kind, **fields}))

    @property
    def current(self) -> str:
        return self.state["session"]["current_answer"]

    def answer(self, answer_id: str) -> dict:
        return next(a for a in self.state["answers"] if a["id"] == answer_id)

    async def ask_first_question(self) -> str:
        """Skip the practice. Return the path of the spoken question, once there is one."""
        await self.say("skip_practice")
        await self.event("practice_skipped")
        asked = self.current
        await self.say("ask", answer=asked)
        await self.until(lambda m: bool(self.answer(asked)["speech_url"]))
        return self.answer(asked)["speech_url"]

    async def begin(self) -> dict:
        """Begin the current answer. Return the `resume` message."""
        await self.say("begin_answer", answer=self.current)
        return await self.until(lambda m: m["type"] == "resume")

    async def select(self, answer_id: str) -> dict:
        await self.say("select", answer=answer_id)
        return await self.until(lambda m: m["type"] == "resume")

    async def speak(self, pcm: bytes, *, start: int = 0, is_real_time: bool = False) -> None:
        """Send bytes [start:] of `pcm` and wait until they are acknowledged."""
        began = time.monotonic()
        for n, offset in enumerate(range(start, len(pcm), FRAME_BYTES)):
            if is_real_time:
                await asyncio.sleep(max(0.0, began + n * FRAME_S - time.monotonic()))
            await self.socket.send(pack(offset, pcm[offset : offset + FRAME_BYTES]))
        await self.until(lambda m: m["type"] == "ack" and m["offset"] >= len(pcm))

    async def finish(self, answer_id: str, pcm: bytes) -> None:
        await self.say("finish_answer", answer=answer_id, bytes=len(pcm))


@asynccontextmanager
async def connected(invitation_url: str, headers: dict[str, str] | None = None):
    """A connected candidate who has received the snapshot. headers: as a proxy adds them."""
    parts = urlsplit(invitation_url)
    token = parts.path.rstrip("/").rsplit("/", 1)[-1]
    url = f"ws://{parts.netloc}/ws/interviews/{token}/"
    origin = f"{parts.scheme}://{parts.netloc}"
    async with websockets.connect(url, origin=origin, additional_headers=headers, max_size=None) as socket:
        candidate = Candidate(socket)
        await candidate.receive()
        yield candidate


async def take_interview(url: str, said: list[bytes]) -> None:
    """Take a whole interview without practice, and wait until its answers are stored and transcribed."""
    await consent(url)
    async with connected(url) as candidate:
        await candidate.say("devices_checked")
        await candidate.event("devices_checked")
        await candidate.say("skip_practice")
        await candidate.event("practice_skipped")
        for answer in said:
            resume = await candidate.begin()
            await candidate.speak(answer)
            await candidate.finish(resume["answer"], answer)
            event = await candidate.event("answer_finished")
            if event["answer"]["status"] == "recorded":
                await candidate.say("accept_answer", answer=resume["answer"])
                await candidate.event("answer_accepted")
        await candidate.until(lambda m: is_over(candidate.state))


def is_over(state: dict) -> bool:
    questions = [a for a in state["answers"] if a["kind"] == "question"]
    return all(
        a["recording"] and a["recording"]["status"] == "stored" and a["transcript"]["status"] == "done"
        for a in questions
    )
