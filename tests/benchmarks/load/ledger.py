"""Comparison of recorded and stored audio: every recording is fetched, decoded and compared by hash."""

import asyncio
import hashlib
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

import numpy as np

from tests.benchmarks.load.site import Refused, Site
from tests.benchmarks.load.take import Take
from voice.audio.decoding import decode_flac

AT_ONCE = 8
PAUSE_S = 5.0


@dataclass
class Comparison:
    """Bytes of s16le that were finished, or acknowledged before the candidate left."""

    bytes_sent: int = 0
    bytes_stored: int = 0
    bytes_altered: int = 0
    bytes_lost: int = 0
    recordings: int = 0
    recordings_equal: int = 0
    notes: list[str] = field(default_factory=list)
    """Ids of answers with differences, and the reasons."""

    def count(self, take: Take, stored: bytes) -> None:
        """Compare one recording."""
        self.recordings += 1
        self.bytes_sent += take.byte_count
        self.bytes_stored += len(stored)
        if hashlib.sha256(stored).hexdigest() == take.sha256():
            self.recordings_equal += 1
            return
        lost = max(0, take.byte_count - len(stored))
        altered = _different(take.pcm[: take.byte_count], stored)
        self.bytes_lost += lost
        self.bytes_altered += altered
        self.notes.append(f"answer {take.answer_id}: {lost} bytes lost, {altered} altered")


def _different(said: bytes | memoryview, stored: bytes) -> int:
    """Return the number of different bytes, including those beyond the end."""
    both = min(len(said), len(stored))
    one, other = np.frombuffer(said, np.uint8, both), np.frombuffer(stored, np.uint8, both)
    return int(np.count_nonzero(one != other)) + max(0, len(stored) - len(said))


async def compare(site: Site, takes: Iterable[Take], *, within_s: float = 600) -> Comparison:
    """Fetch every recording through the API and compare it. Wait for those not stored yet.

    Practice is left out, because it is deleted as the candidate was told. So is a recording of which nothing
    was finished or acknowledged.
    """
    comparison, turns = Comparison(), asyncio.Semaphore(AT_ONCE)
    deadline = asyncio.get_running_loop().time() + within_s

    async def one(take: Take) -> None:
        async with turns:
            stored = await _stored(site, take)
        while stored is None and asyncio.get_running_loop().time() < deadline:
            await asyncio.sleep(PAUSE_S)
            async with turns:
                stored = await _stored(site, take)
        comparison.count(take, stored or b"")

    await asyncio.gather(*(one(take) for take in takes if take.byte_count and not take.is_practice))
    return comparison


async def _stored(site: Site, take: Take) -> bytes | None:
    """Return the samples at the temporary address; None while the recording is not stored."""
    try:
        recording = await site.api(f"/answers/{take.answer_id}/recording", is_expected={409})
        response = await site.ask("GET", recording["url"])
    except Refused:
        return None
    pcm, _rate_hz = await asyncio.to_thread(decode_flac, response.content)
    return pcm


async def wait_transcribed(site: Site, takes: Iterable[Take], *, within_s: float = 600) -> Counter[str]:
    """Poll the transcripts until none is waiting. Return their statuses, `none` for a missing row."""
    statuses: dict[str, str] = {}
    waiting = [take for take in takes if take.byte_count and not take.is_practice]
    deadline = asyncio.get_running_loop().time() + within_s
    while waiting:
        for take in waiting:
            statuses[take.answer_id] = await _transcript_status(site, take)
        waiting = [take for take in waiting if statuses[take.answer_id] in ("waiting", "none")]
        if asyncio.get_running_loop().time() > deadline:
            break
        await asyncio.sleep(PAUSE_S)
    return Counter(statuses.values())


async def _transcript_status(site: Site, take: Take) -> str:
    try:
        return (await site.api(f"/answers/{take.answer_id}/transcript", is_expected={404}))["status"]
    except Refused:
        return "none"
