import asyncio

import pytest

from interviews.candidate.audio import AnswerAudio, FrameRefused
from interviews.models import Answer
from tests.frames import pack
from tests.interviews import journey
from voice.infra import redis_clients
from voice.infra.threads import in_thread
from voice.queues import jobs
from voice.recordings.buffer import DUE_BYTES, HOT_BYTES
from voice.workers import storing

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("clean_redis")]

FRAME = bytes(200_000)


@pytest.fixture
def answer(session) -> Answer:
    session.answers.update(answer_limit_seconds=120)
    return journey.begin_first_question(session)


async def send(audio: AnswerAudio, start: int, end: int) -> int:
    for at in range(start, end, len(FRAME)):
        _, held = await audio.hold(pack(at, FRAME[: end - at]))
    return held


async def moves_queued(audio: AnswerAudio) -> list[bytes]:
    if audio._asking:
        await asyncio.wait([audio._asking])
    return await redis_clients.async_client().lrange(jobs.key("default"), 0, -1)


async def test_a_due_segment_is_asked_for_once(answer):
    audio = AnswerAudio(answer, writer="me")
    assert await audio.open() == 0
    await send(audio, 0, DUE_BYTES - 2)
    assert await moves_queued(audio) == []
    await send(audio, DUE_BYTES - 2, DUE_BYTES + 400_000)
    assert await moves_queued(audio) == [f"move-{audio.recording_id}".encode()]


async def test_a_recording_that_fills_redis_slows_its_sender_down_and_goes_on(answer):
    audio = AnswerAudio(answer, writer="me")
    await audio.open()
    held = await send(audio, 0, HOT_BYTES)
    with pytest.raises(FrameRefused) as refusal:
        await send(audio, held, held + 2)
    assert (refusal.value.code, refusal.value.extra) == ("slow_down", {"offset": HOT_BYTES})

    await moves_queued(audio)
    await in_thread(storing.move_segments)(str(audio.recording_id))
    assert await send(audio, held, held + 2) == held + 2
