"""The simulated users: candidates with one interview after the other, recruiters, and programs."""

import asyncio
import random
import time
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

from tests.benchmarks.load.candidate import LoadCandidate, Stuck
from tests.benchmarks.load.connection import SlowNetwork
from tests.benchmarks.load.site import Refused, Site
from tests.benchmarks.load.speech import Speech
from tests.benchmarks.load.take import Take

SHORTEST_S, MODE_S, LONGEST_S = 4.0, 20.0, 75.0
"""Lengths of answers; a recording of more than a minute does not fit into hot audio at once."""
PRACTICE_S = 5.0
LEAST_SILENCE_S = 1.0
STORED_WITHIN_S = 60.0
AFTER_FAILURE_S = 5.0
LEAVING_S = 20.0
"""At the end, silent candidates leave spread over this time."""


class Manner(Enum):
    """Special behaviour of a candidate."""

    PLAIN = "plain"
    RECONNECTING = "reconnecting"
    SLOW = "slow"
    ABANDONING = "abandoning"


@dataclass(frozen=True)
class Plan:
    """Number of candidates, duration after all have arrived, and their behaviour. Shares are of 1."""

    candidates: int
    minutes: float
    speaking_share: float = 0.4
    arrivals_a_second: float = 8.0
    share_of_each_manner: float = 0.05
    practising_share: float = 0.3
    recruiters: int = 3
    api_clients: int = 3
    seed: int = 1

    @property
    def ramp_s(self) -> float:
        """Time until the last candidate arrives."""
        return self.candidates / self.arrivals_a_second

    def manner(self, dice: random.Random) -> Manner:
        """Return the next candidate's behaviour."""
        others = [Manner.RECONNECTING, Manner.SLOW, Manner.ABANDONING]
        place = int(dice.random() / self.share_of_each_manner) if self.share_of_each_manner else len(others)
        return others[place] if place < len(others) else Manner.PLAIN


@dataclass
class Balance:
    """Pauses between answers that lead to the planned share of speaking."""

    share: float
    began_at: float = field(default_factory=time.monotonic)
    spoken_s: float = 0.0

    def next(self, dice: random.Random) -> tuple[float, float]:
        """Return the next pause and the answer after it, in seconds.

        Some start as if in the middle of an answer: otherwise all candidates would be silent at first.
        """
        answer_s = dice.triangular(SHORTEST_S, LONGEST_S, MODE_S)
        if not self.spoken_s and dice.random() < self.share:
            return LEAST_SILENCE_S, max(SHORTEST_S, dice.random() * answer_s)
        silent_s = time.monotonic() - self.began_at - self.spoken_s
        wanted_s = (self.spoken_s + answer_s / 2) * (1 - self.share) / self.share
        return max(LEAST_SILENCE_S, (wanted_s - silent_s) * dice.uniform(0.8, 1.2)), answer_s


@dataclass
class Interview:
    """A held interview: its takes, and whether the candidate left early."""

    candidate: LoadCandidate
    manner: Manner

    @property
    def unfinished(self) -> list[Take]:
        """The takes that were not complete when the candidate left."""
        return [take for take in self.candidate.takes if take.status == "open" and not take.is_practice]


class Population:
    """All candidates, from `arrive` until the last interview ends. `interviews` has the held ones."""

    def __init__(self, site: Site, plan: Plan, *, interview_id: str, speech: Speech) -> None:
        self.site, self.plan, self.speech = site, plan, speech
        self.interview_id = interview_id
        self.interviews: list[Interview] = []
        self.ends_at = time.monotonic() + plan.ramp_s + 60 * plan.minutes
        self._dice = random.Random(plan.seed)

    @property
    def takes(self) -> list[Take]:
        return [take for interview in self.interviews for take in interview.candidate.takes]

    async def hold(self) -> None:
        """Hold interviews until the end; then all candidates finish their current answer and leave."""
        seats = [self._seat(n / self.plan.arrivals_a_second) for n in range(self.plan.candidates)]
        await asyncio.gather(*seats)

    async def come_back(self) -> None:
        """Let candidates who left during an answer open the link again and finish it."""
        turns = asyncio.Semaphore(10)

        async def one(interview: Interview, take: Take) -> None:
            async with turns:
                await self._tolerating(interview.candidate.come_back_for(take))
                await interview.candidate.leave()

        unfinished = [(each, take) for each in self.interviews for take in each.unfinished[-1:]]
        await asyncio.gather(*(one(*pair) for pair in unfinished))

    async def _seat(self, after_s: float) -> None:
        await asyncio.sleep(after_s)
        balance = Balance(self.plan.speaking_share)
        while time.monotonic() < self.ends_at:
            if not await self._tolerating(self._hold_one(balance)):
                await asyncio.sleep(AFTER_FAILURE_S)

    async def _tolerating(self, doing: Coroutine[Any, Any, None]) -> bool:
        """Return whether it succeeded. Failures are counted, and the candidate starts again."""
        try:
            await doing
        except (Stuck, Refused) as error:
            self.site.figures.errors[f"gave up: {error}"] += 1
            return False
        return True

    async def _hold_one(self, balance: Balance) -> None:
        manner = self.plan.manner(self._dice)
        link = await self.site.invite(self.interview_id, "Candidate of a load test")
        slow = SlowNetwork() if manner is Manner.SLOW else None
        candidate = LoadCandidate(self.site, link, slow=slow)
        self.interviews.append(Interview(candidate, manner))
        try:
            await candidate.arrive()
            await candidate.enter()
            await candidate.check_devices()
            await self._practise(candidate)
            if await self._answer_all(candidate, manner, balance):
                await self._see_stored(candidate)
        finally:
            await candidate.leave()

    async def _practise(self, candidate: LoadCandidate) -> None:
        if self._dice.random() < self.plan.practising_share:
            await candidate.answer(self.speech.utterance(PRACTICE_S))
        else:
            await candidate.skip_practice()

    async def _answer_all(self, candidate: LoadCandidate, manner: Manner, balance: Balance) -> bool:
        """Answer all questions. Return False if the candidate left early."""
        count = sum(answer["kind"] == "question" for answer in candidate.answers.values())
        eventful = self._dice.randrange(max(1, count))
        for n in range(count):
            if candidate.question is None:
                break
            await candidate.ask()
            silence_s, seconds = balance.next(self._dice)
            left_s = self.ends_at - time.monotonic()
            if silence_s > left_s:
                await asyncio.sleep(max(0.0, left_s) + LEAVING_S * self._dice.random())
                break
            await asyncio.sleep(silence_s)
            take = await candidate.begin(self.speech.utterance(seconds))
            if n == eventful and manner is Manner.ABANDONING:
                await asyncio.sleep(seconds * self._dice.random())
                balance.spoken_s += take.spoken / 32_000
                await candidate.abandon()
                return False
            if n == eventful and manner is Manner.RECONNECTING:
                self._later(seconds * self._dice.uniform(0, 1.2), candidate.drop)
            await candidate.finish(take)
            balance.spoken_s += seconds
            await candidate.accept(take)
        return True

    def _later(self, seconds: float, do: Callable[[], None]) -> None:
        asyncio.get_running_loop().call_later(seconds, do)

    async def _see_stored(self, candidate: LoadCandidate) -> None:
        try:
            await candidate.stored(within_s=STORED_WITHIN_S)
        except Stuck:
            self.site.figures.errors["not stored within a minute"] += 1
