"""All web processes are replaced while candidates speak, without errors or losses."""

import asyncio

import pytest

from tests.benchmarks.load.candidate import LoadCandidate
from tests.benchmarks.load.site import Site
from tests.benchmarks.load.take import Take
from tests.sizes import sizes
from tests.speech import spoken
from voice.audio.pcm import s16le_from_samples

pytestmark = [pytest.mark.flows, pytest.mark.timeout(600)]

SAID = "I built a small service that reads invoices. It found mistakes that people had missed for years."


@pytest.fixture
async def site(stack):
    facts = await asyncio.to_thread(lambda: stack.demo)
    async with Site(stack.url, api_key=facts["api_key"]) as site:
        site.interview = facts["interviews"]["en"]
        yield site


@pytest.fixture
async def speaking(site, count):
    """Candidates during an answer, each with enough speech for the whole restart."""
    pcm = memoryview(s16le_from_samples(spoken(SAID, pause_s=1.0)) * 12)
    candidates = [
        LoadCandidate(site, await site.invite(site.interview, f"Candidate {n}")) for n in range(count)
    ]
    takes = await asyncio.gather(
        *(begun(candidate, pcm[n * 3200 :]) for n, candidate in enumerate(candidates))
    )
    yield list(zip(candidates, takes, strict=True))
    await asyncio.gather(*(candidate.leave() for candidate in candidates))


async def begun(candidate: LoadCandidate, pcm: memoryview) -> Take:
    await candidate.arrive()
    await candidate.enter()
    await candidate.check_devices()
    await candidate.skip_practice()
    await candidate.ask()
    take = await candidate.begin(pcm)
    await candidate.until(lambda: take.acked > 0, "the first acknowledgement")
    return take


@sizes("count", short=6, proof=12)
async def test_replacing_all_web_processes_is_not_noticed(stack, site, speaking, count):
    before = set(stack.pids("web"))
    await asyncio.to_thread(stack.restart, "web")
    assert not before & set(stack.pids("web"))

    assert not any(take.has_ended for _, take in speaking), "the restart took longer than the answers"

    for _, take in speaking:
        take.stop()
    for candidate, take in speaking:
        await candidate.finish(take)
        await candidate.stored()
        recording = await site.api(f"/answers/{take.answer_id}/recording")
        assert recording["sha256"] == take.sha256()
    assert [candidate.errors for candidate, _ in speaking] == [{}] * count
    assert {code for candidate, _ in speaking for code in candidate.connection.closes} == {1012}
    assert all(candidate.connection.closes for candidate, _ in speaking)
