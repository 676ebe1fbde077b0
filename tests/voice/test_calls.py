"""Calls: who asks, who answers, and what happens to those who wait when something goes wrong."""

import asyncio
from collections.abc import Callable

import pytest
from asgiref.sync import sync_to_async

from voice import calls
from voice.calls import CallFailed, Forgotten
from voice.engines.base import Busy

PATIENCE_S = 20
REQUEST = {"kind": "speak", "speech": {"text": "Hello"}}

pytestmark = pytest.mark.usefixtures("clean_redis")


async def ask(queue_limit: int = 10, **options) -> calls.Call:
    return await calls.ask("tts", REQUEST, queue_limit=queue_limit, **options)


async def parts_of(call: calls.Call, **options) -> list[tuple[dict, bytes]]:
    async with asyncio.timeout(PATIENCE_S):
        return [(part.meta, part.body) async for part in call.parts(**options)]


@sync_to_async
def as_worker(call: calls.Call, work: Callable[[calls.Asked], None]) -> None:
    """What a worker does with the call's job."""
    asked = calls.asked(call.id)
    assert asked is not None
    work(asked)


def answer(asked: calls.Asked) -> None:
    asked.send({"n": 1}, b"one")
    asked.send({"n": 2}, b"two")
    asked.finish({"duration_ms": 5})


async def test_answer_comes_in_parts_and_ends_with_the_result():
    call = await ask()
    await as_worker(call, answer)

    assert await parts_of(call) == [({"n": 1}, b"one"), ({"n": 2}, b"two")]
    assert call.result == {"duration_ms": 5}


async def test_complete_waits_for_the_result():
    call = await ask()
    await as_worker(call, answer)

    assert await call.complete() == {"duration_ms": 5}


async def test_worker_sees_request_and_audio(queued):
    call = await ask(audio=b"\x00\xff audio")

    assert queued("tts") == [f"call-{call.id}"]
    asked = await sync_to_async(calls.asked)(call.id)
    assert (asked.request, asked.audio) == (REQUEST, b"\x00\xff audio")
    assert 0 <= asked.age_s() < PATIENCE_S


async def test_job_carries_the_id_alone(clean_redis):
    call = await ask(audio=b"what somebody said")
    job = clean_redis.hgetall(f"rq:job:call-{call.id}")

    assert job
    assert not any(b"what somebody said" in value or b"Hello" in value for value in job.values())


async def test_parts_are_read_as_they_are_sent():
    call = await ask()
    parts = call.parts()
    await as_worker(call, lambda asked: asked.send({"n": 1}, b"one"))

    async with asyncio.timeout(PATIENCE_S):
        assert (await anext(parts)).body == b"one"
        waiting = asyncio.ensure_future(anext(parts))
        assert not (await asyncio.wait([waiting], timeout=0.05))[0]
        await _send_more(call)
        assert (await waiting).body == b"two"
        await parts.aclose()


@sync_to_async
def _send_more(call: calls.Call) -> None:
    calls.Asked(call.id, {}, b"", 0).send({"n": 2}, b"two")


# Sharing


async def test_those_who_ask_the_same_share_one_job_and_read_every_part(queued):
    shared = [await ask(call_id="same") for _ in range(50)]
    assert queued("tts") == ["call-same"]

    readers = [asyncio.create_task(parts_of(call)) for call in shared]
    await as_worker(shared[0], answer)

    assert await asyncio.gather(*readers) == [[({"n": 1}, b"one"), ({"n": 2}, b"two")]] * 50
    assert all(call.result == {"duration_ms": 5} for call in shared)


async def test_who_joins_late_reads_from_the_first_part(queued):
    first = await ask(call_id="same")
    await as_worker(first, answer)
    late = await ask(call_id="same")

    assert len(await parts_of(late)) == 2
    assert queued("tts") == ["call-same"]


async def test_joining_needs_no_room_in_the_queue():
    await ask(call_id="same", queue_limit=1)

    await ask(call_id="same", queue_limit=1)


async def test_answer_is_forgotten_soon_after_the_last_part(clean_redis):
    call = await ask()
    before = clean_redis.ttl(f"voice:call:{call.id}")
    await as_worker(call, answer)

    assert before > calls.ANSWERED_TTL_S
    for key in (f"voice:call:{call.id}", f"voice:call:{call.id}:answer"):
        assert 0 < clean_redis.ttl(key) <= calls.ANSWERED_TTL_S


# Failing


async def test_full_queue_refuses_and_keeps_nothing(clean_redis, queued):
    await ask(queue_limit=1)
    with pytest.raises(Busy) as refused:
        await ask(queue_limit=1)

    assert refused.value.retry_after_s == calls.BUSY_RETRY_S
    assert len(queued("tts")) == 1
    assert len(clean_redis.keys("voice:call:*")) == 1


async def test_failure_reaches_every_reader():
    shared = [await ask(call_id="same") for _ in range(5)]
    await as_worker(shared[0], lambda asked: asked.fail("text_rejected", "Not this text.", field="text"))

    for call in shared:
        with pytest.raises(CallFailed, match="Not this text") as failed:
            await parts_of(call)
        assert (failed.value.code, failed.value.field) == ("text_rejected", "text")


async def test_failure_is_kept_for_those_who_wait_already(clean_redis):
    call = await ask(call_id="same")
    await as_worker(call, lambda asked: asked.fail("internal_error", "Broken."))

    assert 0 < clean_redis.ttl("voice:call:same") <= calls.FAILED_TTL_S


async def test_failure_after_a_part_ends_the_parts():
    call = await ask()

    def fail_later(asked):
        asked.send({"n": 1}, b"one")
        asked.fail("engine_unavailable", "Gone.")

    await as_worker(call, fail_later)
    parts = call.parts()
    assert (await anext(parts)).body == b"one"
    with pytest.raises(CallFailed, match="Gone"):
        await anext(parts)


async def test_silence_ends_the_wait(monkeypatch):
    monkeypatch.setattr(calls, "BLOCK_MS", 10)
    call = await ask()

    with pytest.raises(CallFailed) as failed:
        await parts_of(call, within_s=0.05)
    assert failed.value.code == "timeout"


async def test_call_whose_job_is_lost_is_queued_again_once(monkeypatch, clean_redis, queued):
    monkeypatch.setattr(calls, "BLOCK_MS", 10)
    monkeypatch.setattr(calls, "LOOK_AFTER_S", 0.02)
    call = await ask()
    clean_redis.delete("rq:queue:tts", f"rq:job:call-{call.id}")  # as when a worker took it and died

    reading = asyncio.create_task(parts_of(call))
    async with asyncio.timeout(PATIENCE_S):
        while not queued("tts"):  # noqa: ASYNC110  Redis does not tell
            await asyncio.sleep(0.01)
    await as_worker(call, answer)

    assert len(await reading) == 2
    assert queued("tts") == [f"call-{call.id}"]


async def test_call_that_loses_a_second_worker_fails(monkeypatch, clean_redis, queued):
    monkeypatch.setattr(calls, "BLOCK_MS", 10)
    monkeypatch.setattr(calls, "LOOK_AFTER_S", 0.02)
    call = await ask()
    reading = asyncio.create_task(parts_of(call))
    for _ in range(2):
        async with asyncio.timeout(PATIENCE_S):
            while not queued("tts"):  # noqa: ASYNC110  Redis does not tell
                await asyncio.sleep(0.01)
        clean_redis.delete("rq:queue:tts", f"rq:job:call-{call.id}")

    with pytest.raises(CallFailed) as failed:
        await reading
    assert failed.value.code == "engine_unavailable"


async def test_worker_that_dies_after_a_part_fails_the_call(monkeypatch, clean_redis, queued):
    monkeypatch.setattr(calls, "BLOCK_MS", 10)
    monkeypatch.setattr(calls, "LOOK_AFTER_S", 0.02)
    call = await ask()
    await as_worker(call, lambda asked: asked.send({"n": 1}, b"one"))
    clean_redis.delete("rq:queue:tts", f"rq:job:call-{call.id}")

    with pytest.raises(CallFailed) as failed:
        await parts_of(call)
    assert failed.value.code == "engine_unavailable"
    assert queued("tts") == []


async def test_call_that_waits_in_its_queue_is_left_there(monkeypatch, queued):
    monkeypatch.setattr(calls, "BLOCK_MS", 10)
    monkeypatch.setattr(calls, "LOOK_AFTER_S", 0.01)
    call = await ask()

    with pytest.raises(CallFailed, match="No answer"):
        await parts_of(call, within_s=0.2)
    assert queued("tts") == [f"call-{call.id}"]


# Forgetting


async def test_forgotten_call_is_not_begun(clean_redis):
    call = await ask()
    await call.forget()

    assert await sync_to_async(calls.asked)(call.id) is None
    assert clean_redis.keys("voice:call:*") == []


async def test_worker_stops_at_the_next_part_of_a_forgotten_call(clean_redis):
    call = await ask()
    asked = await sync_to_async(calls.asked)(call.id)
    await call.forget()

    with pytest.raises(Forgotten):
        await sync_to_async(asked.send)({"n": 1}, b"one")
    assert clean_redis.keys("voice:call:*") == []


async def test_call_with_an_answer_is_not_answered_twice():
    call = await ask()
    await as_worker(call, answer)

    assert await sync_to_async(calls.asked)(call.id) is None


async def test_unknown_call_is_nothing_to_do():
    assert await sync_to_async(calls.asked)("never-asked") is None
