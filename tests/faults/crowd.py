"""Candidates who speak while a test injects a fault, and a comparison of the results."""

import asyncio
import hashlib
import threading
import time
from collections import Counter
from collections.abc import Coroutine
from functools import cache, partial
from typing import Any, Protocol, Self, TypeVar
from uuid import UUID

import numpy as np

from tests.benchmarks.load.candidate import LoadCandidate
from tests.benchmarks.load.site import Site
from tests.benchmarks.load.take import Take
from tests.faults.waiting import wait_for
from tests.speech import spoken
from tests.stack import Stack, link_token
from voice.audio import decoding
from voice.audio.pcm import s16le_from_samples

T = TypeVar("T")

ARRIVE_AT_ONCE = 6
"""Few enough that no candidate times out before the fault."""
RATE = 32_000
LONG_S, FIRST_S, SHORT_S = 85, 4, 2
SENTENCE = "I measured what the machine did, and then I wrote it down for the others who came after me."
LOUDNESS_OF_NOISE = 30
WITHIN_S = 180.0
"""For anything that a crowd does, once the fault is over; a larger crowd may take longer."""


class Files(Protocol):
    """The storage of the recordings."""

    def names(self, directory: str) -> list[str]: ...

    def read(self, name: str) -> bytes: ...


class Crowd:
    """Candidates during their interviews, from `with` until `finish`, in a thread of their own.

    Half of them speak one long answer until `finish` ends it. The others give short answers, so that every
    step of an interview is covered.

    haste: the first of them speaks this many times faster than real time.
    url: where they come in, unless at the web processes themselves.
    called: the name of each of them, before a number.
    within_s: for anything that they do.
    """

    def __init__(
        self,
        stack: Stack,
        *,
        count: int,
        haste: float = 1.0,
        url: str = "",
        within_s: float = WITHIN_S,
        called: str = "Candidate",
    ) -> None:
        self.stack = stack
        self.count = count
        self._url = url or stack.url
        self._called = called
        self._haste = haste
        self._within_s = within_s
        self.candidates: list[LoadCandidate] = []
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="crowd")
        self._door = asyncio.Semaphore(ARRIVE_AT_ONCE)
        self._start = asyncio.Barrier(max(count, 1))
        self._may_end = asyncio.Event()
        self._interviews: list[asyncio.Task[None]] = []

    def __enter__(self) -> Self:
        facts = self.stack.demo
        self._thread.start()
        self._site = Site(self._url, api_key=facts["api_key"])
        try:
            self._do(self._site.__aenter__())
            self._interview_id = facts["interviews"]["en"]
            self._do(self._gather())
            wait_for(lambda: self.speaking >= self.count, "everybody to speak", within_s=self._within_s)
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *exception: object) -> None:
        self._do(self._disperse())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    @property
    def speaking(self) -> int:
        """How many candidates have begun to answer."""
        return sum(bool(candidate.takes) for candidate in self.candidates)

    @property
    def takes(self) -> list[Take]:
        """All recorded speech."""
        return [take for candidate in self.candidates for take in candidate.takes]

    def name_of(self, number: int) -> str:
        """The name of a candidate of the crowd."""
        return f"{self._called} {number}"

    def invite(self) -> str:
        """Return the link of one more candidate, who has consented but never takes the interview."""
        link = self._do(self._site.invite(self._interview_id, "Somebody else"))
        self.stack.secrets.add(link_token(link))
        self._do(self._site.consent(link))
        return link

    def speak_on(self, seconds: float) -> None:
        """Let them speak for this time, during the fault."""
        time.sleep(seconds)

    def wait_recovered(self, *, since: float) -> float:
        """Wait until all work under way at the end of the fault is saved, transcribed and stored.

        since: the end of the fault, of `time.monotonic()`. Returns the seconds since then.
        """
        targets = {take: take.spoken for take in self.takes}
        finished = [take for take in self.takes if take.finished_bytes is not None]

        def missing() -> list[str]:
            late = [take for take, target in targets.items() if take.acked < target and take.status == "open"]
            return [f"{take.recording_id} to be held" for take in late] + self._unfinished(finished)

        wait_for(lambda: not missing(), lambda: "; ".join(missing()), within_s=self._within_s)
        return time.monotonic() - since

    def finish(self) -> None:
        """Let all candidates finish their interviews and see everything stored.

        Raises:
            Stuck: a candidate's interview did not continue.
        """
        self._loop.call_soon_threadsafe(self._may_end.set)
        self._do(self._end(), within_s=4 * self._within_s)
        unfinished = partial(self._unfinished, self.takes)
        wait_for(lambda: not unfinished(), lambda: "; ".join(unfinished()), within_s=self._within_s)

    @property
    def seen(self) -> str:
        """The problems that candidates noticed."""
        closes = Counter(code for candidate in self.candidates for code in candidate.connection.closes)
        back = sum(bool(c.connection.closes or c.errors["silent server"]) for c in self.candidates)
        errors = sum((candidate.errors for candidate in self.candidates), Counter())
        gap_s = max((take.longest_without_ack_s for take in self.takes), default=0.0)
        parts = [f"{back} came back by themselves" if back else "nobody was disconnected"]
        parts += [f"close code {code}: {times}" for code, times in sorted(closes.items())]
        parts += [f"{code}: {times}" for code, times in sorted(errors.items())]
        parts.append(f"longest wait for an acknowledgement {gap_s:.1f} s")
        return "; ".join(parts)

    def losses(self, files: Files) -> list[str]:
        """Answers whose stored samples differ from the speech, or without a transcript, with reasons."""
        return [f"{take.recording_id}: {why}" for take in self.takes if (why := self._loss(take, files))]

    def duplicates(self, files: Files) -> list[str]:
        """Recordings, transcripts and files beyond one for each answer."""
        surplus = [name for take in self.takes for name in files.names(_directory(take))[1:]]
        known = {UUID(take.recording_id) for take in self.takes}
        surplus += [f"recording {found}" for found in self._recordings() if found not in known]
        return surplus + [f"transcript of {found}" for found in self._transcribed_twice()]

    def stuck(self) -> list[str]:
        """Unfinished interviews."""
        query = (
            "SELECT s.id, s.status FROM interviews_session s JOIN interviews_invitation i ON i.id ="
            " s.invitation_id WHERE s.id = ANY(%s) AND (s.status <> 'finished' OR i.status <> 'finished')"
        )
        return [f"{row}: {status}" for row, status in self.stack.rows(query, [self._sessions()])]

    # --- in the event loop ----------------------------------------------------------------------------

    def _do(self, coroutine: Coroutine[Any, Any, T], *, within_s: float = 0.0) -> T:
        return asyncio.run_coroutine_threadsafe(coroutine, self._loop).result(within_s or self._within_s)

    async def _gather(self) -> None:
        for number in range(self.count):
            link = await self._site.invite(self._interview_id, self.name_of(number))
            self.stack.secrets.add(link_token(link))
            self.candidates.append(LoadCandidate(self._site, link))
        self._interviews = [
            asyncio.create_task(self._take_interview(number, candidate))
            for number, candidate in enumerate(self.candidates)
        ]

    async def _take_interview(self, number: int, candidate: LoadCandidate) -> None:
        async with self._door:
            await candidate.arrive()
            await candidate.enter()
            await candidate.check_devices()
            await candidate.skip_practice()
        await self._start.wait()
        for position in range(len(candidate.answers) - 1):  # one of them is the practice
            await candidate.ask()
            is_long = number % 2 == 0 and position == 0
            seconds = LONG_S if is_long else FIRST_S if position == 0 else SHORT_S
            speed = self._haste if number == 0 else 1.0
            take = await candidate.begin(said(number, position, seconds), speed=speed)
            if is_long:
                await self._may_end.wait()
                take.stop()
            await candidate.finish(take)
            await candidate.accept(take)
        await candidate.stored(within_s=2 * self._within_s)

    async def _end(self) -> None:
        await asyncio.gather(*self._interviews)

    async def _disperse(self) -> None:
        for interview in self._interviews:
            interview.cancel()
        await asyncio.gather(*self._interviews, return_exceptions=True)
        await asyncio.gather(*(candidate.leave() for candidate in self.candidates), return_exceptions=True)
        await self._site.__aexit__(None, None, None)

    # --- stored results -------------------------------------------------------------------------------

    def _unfinished(self, takes: list[Take]) -> list[str]:
        query = (
            "SELECT r.id, r.status, t.status FROM voice_recording r"
            " LEFT JOIN voice_transcript t ON t.recording_id = r.id"
            " WHERE r.id = ANY(%s) AND (r.status IN ('open', 'sealed') OR t.status = 'waiting')"
        )
        rows = self.stack.rows(query, [[UUID(take.recording_id) for take in takes]])
        return [
            f"{row} to be finished ({status}, transcript {transcript})" for row, status, transcript in rows
        ]

    def _loss(self, take: Take, files: Files) -> str:
        query = (
            "SELECT r.status, r.sha256, r.byte_count, r.storage_name, t.status FROM voice_recording r"
            " LEFT JOIN voice_transcript t ON t.recording_id = r.id WHERE r.id = %s"
        )
        (row,) = self.stack.rows(query, [take.recording_id])
        status, sha256, byte_count, name, transcript = row
        if (status, transcript) != ("stored", "done"):
            return f"the recording is {status}, the transcript {transcript}"
        if (sha256, byte_count) != (take.sha256(), take.byte_count):
            return f"{take.byte_count} bytes were said, {byte_count} are stored, or others"
        pcm, _ = decoding.decode_flac(files.read(name))
        return "" if hashlib.sha256(pcm).hexdigest() == sha256 else "the file holds other samples"

    def _sessions(self) -> list[UUID]:
        return [UUID(candidate.session["id"]) for candidate in self.candidates]

    def _recordings(self) -> list[UUID]:
        query = (
            "SELECT r.id FROM voice_recording r JOIN interviews_answer a ON a.recording_id = r.id"
            " WHERE a.session_id = ANY(%s) AND r.status <> 'discarded'"
        )
        return [row[0] for row in self.stack.rows(query, [self._sessions()])]

    def _transcribed_twice(self) -> list[UUID]:
        query = "SELECT recording_id FROM voice_transcript GROUP BY recording_id HAVING count(*) > 1"
        return [row[0] for row in self.stack.rows(query)]


def said(candidate: int, position: int, seconds: int) -> memoryview:
    """PCM of unique speech: one sentence repeated, with noise of its own."""
    noise = np.random.default_rng([candidate, position])
    speech = np.resize(_sentence(), seconds * RATE // 2)
    own = noise.integers(-LOUDNESS_OF_NOISE, LOUDNESS_OF_NOISE, len(speech), dtype=np.int16)
    return memoryview((speech + own).tobytes())


@cache
def _sentence() -> np.ndarray:
    pcm = s16le_from_samples(spoken(SENTENCE, pause_s=0.6) * 0.9)
    return np.frombuffer(pcm, np.int16)


def _directory(take: Take) -> str:
    return f"recordings/{take.recording_id}"
