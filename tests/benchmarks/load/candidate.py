"""One candidate: the steps of an interview as in room.js and its screens."""

import asyncio
import time
from collections import Counter
from collections.abc import Callable
from urllib.parse import urlsplit

from tests.benchmarks.load.connection import Connection, Owner, SlowNetwork
from tests.benchmarks.load.interview_state import InterviewState
from tests.benchmarks.load.site import Site
from tests.benchmarks.load.take import Take
from tests.benchmarks.load.uploader import Uploader

PATIENCE_S = 10.0
OVER_LIMIT_PAUSE_S = 1.0
STALE = {"wrong_state", "not_recording", "not_yours"}
"""Errors that mean that the page's state is outdated."""


class Stuck(Exception):
    """The interview did not continue in time, or was closed."""


class LoadCandidate(Owner):
    """A candidate. Its speech is in `takes`, its problems in `errors` and `connection.closes`."""

    def __init__(self, site: Site, invitation_url: str, *, slow: SlowNetwork | None = None) -> None:
        self.site, self.invitation_url, self.slow = site, invitation_url, slow
        self.figures = site.figures
        self.connection = self._new_connection()
        self.uploader = Uploader(self.connection, to_offer=self._to_offer)
        self.state = InterviewState()
        self.takes: list[Take] = []
        self.errors: Counter[str] = Counter()
        self.is_waiting = False
        """In the waiting room: not admitted yet."""
        self._waiting_since = 0.0
        self._current: Take | None = None  # the take being recorded, or the next one
        self._is_speaking = False
        self._is_returning = False
        self._pending: dict | None = None
        self._final_code: int | None = None
        self._moved_at = time.monotonic()
        self._moved = asyncio.Event()
        self._hears = {
            "waiting": self._waiting,
            "snapshot": self._snapshot,
            "event": self._event,
            "resume": self._resume,
            "speech_start": self._speech_start,
            "caption": self._caption,
            "hear": lambda message: self.connection.send({"type": "hearing", "answer": message["answer"]}),
            "frames": lambda message: self.uploader.use_frames(message["ms"]),
            "error": self._error,
        }

    # --- actions of the candidate ---------------------------------------------------------------------

    async def arrive(self) -> None:
        """Load the landing page, give consent and load the room's page."""
        await self.site.consent(self.invitation_url)

    async def enter(self, *, within_s: float = 900) -> None:
        """Connect and wait for the snapshot, in the waiting room if there is one."""
        self.connection.open()
        await self.until(lambda: bool(self.session), "the first snapshot", within_s=within_s)

    async def check_devices(self) -> None:
        """Confirm that microphone and speaker work."""
        self._command("devices_checked")
        await self.until(lambda: self.session["status"] != "checking", "the end of the check")

    async def skip_practice(self) -> None:
        """Go straight to the questions."""
        self._command("skip_practice")
        await self.until(lambda: self.session["status"] not in ("checking", "practising"), "the questions")

    @property
    def session(self) -> dict:
        """The session's state, empty before the first snapshot."""
        return self.state.session

    @property
    def answers(self) -> dict[str, dict]:
        """The answers by id."""
        return self.state.answers

    @property
    def question(self) -> dict | None:
        """The next answer to give; None after the last."""
        return self.state.question

    async def ask(self) -> None:
        """Show and play the question. The think time starts."""
        question = self._question()
        if question["status"] == "pending" and question["kind"] == "question":
            self._command("ask", question["id"])
            await self.until(lambda: self.state.status(question["id"]) != "pending", "the question")
        if url := self._question()["speech_url"]:  # told with the question
            await self.site.ask("GET", url)

    async def begin(self, pcm: bytes | memoryview, *, speed: float = 1.0) -> Take:
        """Begin to answer the current question with `pcm`. Return when the microphone is on.

        speed: relative to real time.
        """
        question = self._question()
        ack_ms = self.figures.slow_ack_ms if self.slow else self.figures.ack_ms
        is_practice = question["kind"] == "practice"
        take = Take(
            pcm,
            answer_id=question["id"],
            figures=self.figures,
            ack_ms=ack_ms,
            speed=speed,
            is_practice=is_practice,
        )
        self._current = take
        self.uploader.expect(take.answer_id)
        self._command("begin_answer", take.answer_id)
        await self.until(lambda: bool(take.recording_id), "the recording")
        return take

    async def finish(self, take: Take, *, within_s: float = 600) -> None:
        """Speak to the end. Return once the server has completed the answer."""
        begun_s = (take.limit - take.spoken) / 32_000 / take.speed
        await asyncio.sleep(begun_s)
        done = {"recorded", "accepted"}
        await self.until(lambda: self.state.status(take.answer_id) in done, "the answer", within_s=within_s)

    async def accept(self, take: Take) -> None:
        """Accept the answer, if a retake was possible."""
        if self.state.status(take.answer_id) == "recorded":
            self._command("accept_answer", take.answer_id)
            await self.until(lambda: self.state.status(take.answer_id) == "accepted", "to be accepted")

    async def answer(self, pcm: bytes | memoryview, *, speed: float = 1.0) -> Take:
        """Give a complete answer: ask, begin, finish, accept."""
        await self.ask()
        take = await self.begin(pcm, speed=speed)
        await self.finish(take)
        await self.accept(take)
        return take

    async def stored(self, *, within_s: float = 120) -> None:
        """Wait until everything is in object storage, so that this device may delete its copy."""
        await self.until(lambda: not self._to_offer(), "to be stored", within_s=within_s)

    def drop(self, pause_s: float = 0.0) -> None:
        """Lose the network without a handshake, and reconnect as the page does."""
        self.connection.drop(pause_s)

    async def abandon(self) -> None:
        """Close the page during the answer."""
        if take := self._current:
            take.is_abandoned = True
        await self.leave()

    async def come_back_for(self, take: Take) -> None:
        """Open the link again without the device's audio, and finish with the server's audio."""
        self._is_returning, self._current, self.state = True, take, InterviewState()
        take.finished_bytes = None
        self.connection = self._new_connection()
        self.uploader = Uploader(self.connection, to_offer=self._to_offer)
        await self.enter()
        await self.until(lambda: take.finished_bytes is not None, "where the recording stands")
        done = {"recorded", "accepted"}
        await self.until(lambda: self.state.status(take.answer_id) in done, "the answer")

    async def leave(self) -> None:
        """Close the page."""
        self._stop_microphone()
        await self.connection.leave()

    # --- waiting ----------------------------------------------------------------------------------------

    async def until(self, is_so: Callable[[], bool], what: str, *, within_s: float = 300) -> None:
        """Return once `is_so()` holds. Meanwhile ask for a snapshot as the page does when an event was lost.

        Raises:
            Stuck: it does not hold within `within_s`, or the connection was closed for good.
        """
        deadline = time.monotonic() + within_s
        self._moved_at = time.monotonic()
        while not is_so():
            if self._final_code is not None:
                raise Stuck(f"closed {self._final_code} while waiting for {what}")
            now = time.monotonic()
            if now > deadline:
                raise Stuck(f"{what} did not come")
            if now - self._moved_at >= PATIENCE_S and self._is_owed:
                self.suffered(f"patience for {what}")
                self._moved_at = now
                self.connection.drop()
            self._moved.clear()
            try:
                async with asyncio.timeout(1.0):
                    await self._moved.wait()
            except TimeoutError:
                continue

    @property
    def _is_owed(self) -> bool:
        """Whether a message from the server is due: connected, admitted, with a snapshot."""
        return self.connection.is_open and bool(self.session) and not self.is_waiting

    # --- messages from the server -----------------------------------------------------------------------

    def heard(self, message: dict) -> None:
        """See Owner."""
        self._moved_at = time.monotonic()
        if hear := self._hears.get(message["type"]):
            hear(message)
        self._moved.set()

    def acked(self, offset: int, now: float) -> None:
        """See Owner."""
        self.uploader.acked(offset, now)

    def connection_changed(self, is_open: bool) -> None:
        """See Owner."""
        if not is_open:
            self.uploader.disconnected()

    def ended(self, code: int) -> None:
        """See Owner."""
        self._final_code = code
        self._stop_microphone()
        self._moved.set()

    def suffered(self, what: str) -> None:
        """See Owner."""
        self.errors[what] += 1
        self.figures.errors[what] += 1

    def _waiting(self, message: dict) -> None:
        if not self.is_waiting:
            self._waiting_since = time.monotonic()
            self.is_waiting = True
            self.figures.waiting += 1

    def _let_in(self) -> None:
        if self.is_waiting:
            self.is_waiting = False
            self.figures.waiting -= 1
            self.figures.wait_ms.add(1000 * (time.monotonic() - self._waiting_since))

    def _snapshot(self, message: dict) -> None:
        if not self.is_waiting:
            self.figures.connect_ms.add(1000 * (time.monotonic() - self.connection.began_at))
        self._let_in()
        self.state.snapshot(message)
        self._settle()
        if self._pending:
            self.connection.send(self._pending)
        self.uploader.catch_up()

    def _event(self, message: dict) -> None:
        if not self.session:
            return
        self.state.event(message)
        self._settle()
        self.uploader.wake(time.monotonic())

    def _settle(self) -> None:
        """Apply the new state to the takes and to the command that may not have arrived."""
        now = time.monotonic()
        answers = self.state.by_recording
        for take in self.takes:
            if answer := answers.get(take.recording_id):
                self._learn(take, answer, now)
        if self._pending and not self.state.is_wanted(self._pending):
            self._pending = None

    def _learn(self, take: Take, answer: dict, now: float) -> None:
        status = answer["recording"]["status"]
        if status == "stored" and take.status != "stored" and take.finished_at:
            self.figures.stored_ms.add(1000 * (now - take.finished_at))
        take.status = status
        transcript = answer["transcript"]
        is_done = transcript is not None and transcript["status"] == "done"
        if is_done and not take.transcribed_at and take.finished_at:
            take.transcribed_at = now
            self.figures.transcript_ms.add(1000 * (now - take.finished_at))

    def _resume(self, message: dict) -> None:
        take = self._take_of(message)
        if take is None:
            return
        now = time.monotonic()
        if self._is_returning:
            take.cut(message["offset"])
        elif not take.recording_id:
            take.recording_id = message["recording"]
            take.begin(now, message["limit_bytes"])
            self.takes.append(take)
            self._start_microphone(take)
        self.uploader.use_frames(message.get("frame_ms", 250))
        self.uploader.resumed(take, message["offset"])

    def _take_of(self, message: dict) -> Take | None:
        known = (take for take in self.takes if take.recording_id == message["recording"])
        starting = self._current
        if starting and not starting.recording_id and starting.answer_id == message["answer"]:
            return starting
        return next(known, None)

    def _speech_start(self, message: dict) -> None:
        if (take := self._current) and not take.voice_at and message["answer"] == take.answer_id:
            take.voice_at = take.began_at + message["timestamp"] / take.speed

    def _caption(self, message: dict) -> None:
        self.figures.captions += 1
        take = self._current
        if take and take.voice_at and not take.captioned_at and message["answer"] == take.answer_id:
            take.captioned_at = time.monotonic()
            self.figures.caption_ms.add(1000 * (take.captioned_at - take.voice_at))

    def _error(self, message: dict) -> None:
        code, now = message["code"], time.monotonic()
        self.suffered(code)
        if code == "gap":
            self.uploader.rewind(message["offset"], now)
        elif code == "slow_down":
            self.uploader.slow_down(message["offset"], now)
        elif code == "audio_missing":
            self.uploader.missing(message["offset"], now)
        elif code == "over_limit":
            self.connection.drop(OVER_LIMIT_PAUSE_S)
        elif code in STALE:
            self._pending = None
            self.connection.drop()

    # --- the rest -----------------------------------------------------------------------------------------

    def _new_connection(self) -> Connection:
        token = urlsplit(self.invitation_url).path.rstrip("/").rsplit("/", 1)[-1]
        path, site = f"/ws/interviews/{token}/", self.site
        return Connection(path, site.url, owner=self, pace=site.pace, figures=self.figures, slow=self.slow)

    def _command(self, kind: str, answer_id: str = "") -> None:
        """Send a command, and again after a reconnect if it is still wanted."""
        self._pending = {"type": kind} | ({"answer": answer_id} if answer_id else {})
        self.connection.send(self._pending)

    def _question(self) -> dict:
        question = self.question
        if question is None:
            raise Stuck(f"no question is left: the interview is {self.session['status']}")
        return question

    def _to_offer(self) -> list[Take]:
        waiting = [take for take in self.takes if take.status in ("open", "sealed")]
        if (take := self._current) and not take.recording_id and self._has_begun(take):
            waiting.append(take)  # the answer has begun, but the connection was lost before `resume`
        return sorted(waiting, key=lambda take: take is self._current)

    def _has_begun(self, take: Take) -> bool:
        return self.state.status(take.answer_id) == "recording"

    def _start_microphone(self, take: Take) -> None:
        self._stop_microphone()
        self._current = take
        self.figures.speaking += 1
        self._is_speaking = True
        self.site.pace.frames.add(self._speak, times=min(25, max(1, int(take.speed))))

    def _stop_microphone(self) -> None:
        if self._is_speaking:
            self._is_speaking = False
            self.figures.speaking -= 1
            self.site.pace.frames.remove(self._speak)

    def _speak(self, now: float) -> None:
        take = self._current
        assert take
        take.speak(now)
        if take.has_ended:
            self._stop_microphone()
        self.uploader.wake(now)
