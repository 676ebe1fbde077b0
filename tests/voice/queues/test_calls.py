"""Calls: callers, workers, and failures while callers wait."""

import asyncio
import threading
from collections.abc import Callable
from contextlib import suppress
from types import SimpleNamespace
from uuid import uuid4

import pytest
import redis
from asgiref.sync import sync_to_async

from voice.errors import Busy, CallFailed
from voice.infra import redis_clients
from voice.queues import answers, call_keys, calls, leases
from voice.queues.answers import Forgotten

PATIENCE_S = 120
REQUEST = {"kind": "speak", "speech": {"text": "Hello"}}

pytestmark = pytest.mark.usefixtures("clean_redis")


async def ask(queue_limit: int = 10, **options) -> calls.Call:
    """Ask, and stay a reader."""
    call = calls.Call(uuid4().hex, "tts")
    await call.ask(REQUEST, queue_limit=queue_limit, **options)
    return call


async def parts_of(call: calls.Call, **options) -> list[tuple[dict, bytes]]:
    async with asyncio.timeout(PATIENCE_S):
        return [(part.meta, part.body) async for part in call.parts(**options)]


@sync_to_async
def as_worker(call: calls.Call, work: Callable[[answers.ClaimedCall], None]) -> answers.ClaimedCall:
    """Run the call's job as a worker does."""
    asked = answers.claim(call.id)
    assert asked is not None
    work(asked)
    return asked


def lose_job(client, call: calls.Call) -> None:
    """Lose the job, as when its worker died."""
    client.delete("rq:queue:tts", f"rq:job:call-{call.id}")


@pytest.fixture
def impatient(monkeypatch):
    monkeypatch.setattr(calls, "BLOCK_MS", 10)
    monkeypatch.setattr(calls, "LOOK_AFTER_S", 0.02)


def answer(asked: answers.ClaimedCall) -> None:
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
    asked = await sync_to_async(answers.claim)(call.id)
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
    asked = await as_worker(call, lambda asked: asked.send({"n": 1}, b"one"))

    async with asyncio.timeout(PATIENCE_S):
        assert (await anext(parts)).body == b"one"
        waiting = asyncio.ensure_future(anext(parts))
        assert not (await asyncio.wait([waiting], timeout=0.05))[0]
        await sync_to_async(asked.send)({"n": 2}, b"two")
        assert (await waiting).body == b"two"
        await parts.aclose()


# Sharing


async def test_those_who_ask_the_same_share_one_job_and_read_every_part(queued):
    shared = [await ask(shared_as="same") for _ in range(50)]
    assert queued("tts") == [f"call-{shared[0].id}"]

    readers = [asyncio.create_task(parts_of(call)) for call in shared]
    await as_worker(shared[0], answer)

    assert await asyncio.gather(*readers) == [[({"n": 1}, b"one"), ({"n": 2}, b"two")]] * 50
    assert all(call.result == {"duration_ms": 5} for call in shared)


async def test_who_joins_late_reads_from_the_first_part(queued):
    first = await ask(shared_as="same")
    asked = await as_worker(first, lambda asked: asked.send({"n": 1}, b"one"))
    late = await ask(shared_as="same")
    await sync_to_async(asked.finish)({})

    assert await parts_of(late) == [({"n": 1}, b"one")]
    assert queued("tts") == [f"call-{first.id}"]


async def test_joining_needs_no_room_in_the_queue():
    first = await ask(shared_as="same", queue_limit=1)

    assert (await ask(shared_as="same", queue_limit=1)).id == first.id


async def test_who_asks_after_the_end_gets_a_call_of_their_own():
    first = await ask(shared_as="same")
    await as_worker(first, answer)

    assert (await ask(shared_as="same")).id != first.id


async def test_two_workers_do_not_speak_at_the_same_time(queued):
    call = await ask()
    await as_worker(call, lambda asked: asked.send({"n": 1}, b"one"))

    assert await sync_to_async(answers.claim)(call.id) is None


async def test_answer_stays_for_a_reader_that_is_slow(clean_redis):
    call = await ask()
    await as_worker(call, answer)

    kept = {f"voice:call:{call.id}:answer".encode(), f"voice:call:{call.id}:readers".encode()}
    assert set(clean_redis.keys(f"voice:call:{call.id}*")) == kept
    assert 0 < clean_redis.ttl(f"voice:call:{call.id}:answer") <= call_keys.ANSWERED_TTL_S


async def test_reading_renews_the_stay(clean_redis, impatient):
    call = await ask()
    await as_worker(call, answer)
    clean_redis.expire(f"voice:call:{call.id}:answer", 2)
    await asyncio.to_thread(_age, calls.LOOK_AFTER_S)
    parts = call.parts()
    await anext(parts)

    assert clean_redis.ttl(f"voice:call:{call.id}:answer") > 2
    await parts.aclose()


def _age(seconds: float) -> None:
    threading.Event().wait(2 * seconds)


async def test_part_whose_acknowledgement_was_lost_is_there_once(monkeypatch):
    call = await ask()
    client = redis_clients.sync_client()
    lost = []

    class Lossy:
        script_load = client.script_load

        def evalsha(self, *args):
            result = client.evalsha(*args)
            if len(lost) < 2:
                lost.append(result)
                raise redis.ConnectionError("the answer was lost")
            return result

    asked = await sync_to_async(answers.claim)(call.id)
    monkeypatch.setattr(answers, "AWAY_PAUSES_S", (0, 0, 0))
    monkeypatch.setattr(redis_clients, "sync_client", Lossy)
    await sync_to_async(answer)(asked)
    monkeypatch.undo()

    assert await parts_of(call) == [({"n": 1}, b"one"), ({"n": 2}, b"two")]


async def test_connection_that_breaks_loses_no_answer(clean_redis):
    call = await ask()
    reading = asyncio.create_task(parts_of(call))
    while not (readers := [c for c in clean_redis.client_list() if c["cmd"] == "xread"]):  # noqa: ASYNC110
        await asyncio.sleep(0.01)
    for reader in readers:
        clean_redis.client_kill_filter(_id=reader["id"])
    await as_worker(call, answer)

    assert len(await reading) == 2


# Answers with one reader


async def pour(asked: answers.ClaimedCall, n_parts: int) -> asyncio.Task[None]:
    """Send parts for the only reader in a thread, as a worker does."""

    def send_all() -> None:
        for n in range(n_parts):
            asked.send_when_taken({"n": n}, bytes(1000))
        asked.finish({})

    return asyncio.create_task(asyncio.to_thread(send_all))


async def test_long_answer_waits_in_parts_for_its_only_reader(clean_redis):
    call = await ask()
    asked = await as_worker(call, lambda asked: None)
    sending = await pour(asked, 20)
    numbers, waiting = [], []
    async with asyncio.timeout(PATIENCE_S):
        async for part in call.parts(is_only_reader=True):
            numbers.append(part.meta["n"])
            waiting.append(clean_redis.xlen(f"voice:call:{call.id}:answer"))
        await sending

    assert numbers == list(range(20))
    assert max(waiting) <= answers.PARTS_AHEAD + 1  # and the end


async def test_reader_that_takes_nothing_is_given_up(monkeypatch):
    monkeypatch.setattr(answers, "TAKEN_WITHIN_S", 0.1)
    monkeypatch.setattr(answers, "LOOK_S", 0.05)
    asked = await as_worker(await ask(), lambda asked: None)

    with pytest.raises(Forgotten):
        await (await pour(asked, 20))


async def test_worker_that_waits_for_a_reader_notices_that_it_left(monkeypatch, clean_redis):
    monkeypatch.setattr(answers, "LOOK_S", 0.05)
    call = await ask()
    asked = await as_worker(call, lambda asked: None)
    sending = await pour(asked, 20)
    parts = call.parts(is_only_reader=True)
    await anext(parts)
    await parts.aclose()
    await call.leave()

    with pytest.raises(Forgotten):
        await sending
    with pytest.raises(Forgotten):
        asked.check_wanted()
    assert clean_redis.keys("voice:call:*") == []


# Limits


async def test_full_queue_refuses_and_keeps_nothing(clean_redis, queued):
    await ask(queue_limit=1)
    with pytest.raises(Busy) as refused:
        await ask(queue_limit=1)

    assert refused.value.retry_after_s == calls.BUSY_RETRY_S
    assert len(queued("tts")) == 1
    assert len(clean_redis.keys("voice:call:*")) == 2  # of the first, with its reader


async def test_tenant_whose_jobs_fill_the_queue_keeps_no_other_out():
    await calls.Call("one", "tts", "a").ask(REQUEST, queue_limit=1)
    with pytest.raises(Busy):
        await calls.Call("two", "tts", "a").ask(REQUEST, queue_limit=1)

    await calls.Call("three", "tts", "b").ask(REQUEST, queue_limit=1)


async def test_tenant_leaves_room_for_the_audio_of_others(settings):
    settings.VOICE = settings.VOICE | {"CALL_AUDIO_MB": 1}
    await calls.Call("one", "tts", "a").ask(REQUEST, audio=bytes(500_000), queue_limit=9)
    with pytest.raises(Busy):
        await calls.Call("two", "tts", "a").ask(REQUEST, audio=bytes(100_000), queue_limit=9)

    await calls.Call("three", "tts", "b").ask(REQUEST, audio=bytes(500_000), queue_limit=9)


async def test_audio_in_redis_is_bounded(settings):
    settings.VOICE = settings.VOICE | {"CALL_AUDIO_MB": 1}
    first = await ask(audio=bytes(600_000))
    with pytest.raises(Busy):
        await ask(audio=bytes(600_000))
    await ask()  # without audio

    await as_worker(first, answer)

    await ask(audio=bytes(600_000))


# Failing


async def test_failure_reaches_every_reader():
    shared = [await ask(shared_as="same") for _ in range(5)]
    await as_worker(shared[0], lambda asked: asked.fail("text_rejected", "Not this text.", field="text"))

    for call in shared:
        with pytest.raises(CallFailed, match="Not this text") as failed:
            await parts_of(call)
        assert (failed.value.code, failed.value.field) == ("text_rejected", "text")


async def test_who_asks_after_a_failure_gets_a_new_try(queued):
    call = await ask(shared_as="same")
    await as_worker(call, lambda asked: asked.fail("internal_error", "Broken."))

    again = await ask(shared_as="same")

    assert queued("tts") == [f"call-{call.id}", f"call-{again.id}"]


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


async def test_call_that_nobody_begins_ends_the_wait(impatient, queued):
    call = await ask()

    with pytest.raises(CallFailed) as failed:
        await parts_of(call, within_s=0.2)
    assert failed.value.code == "timeout"
    assert queued("tts") == [f"call-{call.id}"]  # not queued a second time


async def test_call_that_waited_too_long_is_not_begun(monkeypatch, clean_redis):
    call = await ask()
    monkeypatch.setattr(answers, "WAIT_S", -1)

    assert await sync_to_async(answers.claim)(call.id) is None
    assert clean_redis.keys("voice:call:*") == [f"voice:call:{call.id}:readers".encode()]


async def test_silence_of_a_living_worker_is_waited_through(impatient, monkeypatch):
    call = await ask()
    asked = await as_worker(call, lambda asked: None)
    monkeypatch.setattr(leases, "is_pending", lambda job_id, connection: True)
    reading = asyncio.create_task(parts_of(call, within_s=0.1))
    done, _ = await asyncio.wait([reading], timeout=0.5)
    assert not done
    await sync_to_async(asked.finish)({})

    assert await reading == []


async def test_lost_job_is_queued_again_once_however_many_wait(impatient, clean_redis, queued):
    shared = [await ask(shared_as="same") for _ in range(20)]
    lose_job(clean_redis, shared[0])

    readers = [asyncio.create_task(parts_of(call)) for call in shared]
    async with asyncio.timeout(PATIENCE_S):
        while not queued("tts"):  # noqa: ASYNC110  Redis sends no event
            await asyncio.sleep(0.01)
    assert queued("tts") == [f"call-{shared[0].id}"]
    await as_worker(shared[0], answer)

    assert [len(parts) for parts in await asyncio.gather(*readers)] == [2] * 20


async def test_worker_that_comes_back_after_another_took_over_is_not_heard(impatient, clean_redis, queued):
    call = await ask()
    first = await as_worker(call, lambda asked: None)
    lose_job(clean_redis, call)
    reading = asyncio.create_task(parts_of(call))
    async with asyncio.timeout(PATIENCE_S):
        while not queued("tts"):  # noqa: ASYNC110  Redis sends no event
            await asyncio.sleep(0.01)
    await as_worker(call, lambda asked: (asked.send({"n": 1}, b"one"), asked.finish({})))

    with pytest.raises(Forgotten):
        await sync_to_async(first.send)({"n": 2}, b"late")
    assert await reading == [({"n": 1}, b"one")]


async def test_call_that_loses_a_second_worker_fails(impatient, monkeypatch, clean_redis, queued):
    call = await ask()
    reading = asyncio.create_task(parts_of(call))
    lose_job(clean_redis, call)
    async with asyncio.timeout(PATIENCE_S):
        while not queued("tts"):  # noqa: ASYNC110  Redis sends no event
            await asyncio.sleep(0.01)
    clean_redis.hincrby(f"voice:call:{call.id}", "again", -calls.AGAIN_S)
    lose_job(clean_redis, call)

    with pytest.raises(CallFailed) as failed:
        await reading
    assert failed.value.code == "engine_unavailable"


async def test_worker_that_dies_after_a_part_fails_the_call_for_all(impatient, clean_redis, queued):
    shared = [await ask(shared_as="same") for _ in range(3)]
    await as_worker(shared[0], lambda asked: asked.send({"n": 1}, b"one"))
    lose_job(clean_redis, shared[0])

    for call in shared:
        with pytest.raises(CallFailed) as failed:
            await parts_of(call)
        assert failed.value.code == "engine_unavailable"
    assert queued("tts") == []
    assert (await ask(shared_as="same")).id != shared[0].id


async def test_answer_that_comes_while_looking_is_not_lost(impatient, monkeypatch):
    call = await ask()
    asked = await as_worker(call, lambda asked: asked.send({"n": 1}, b"one"))

    def ends_right_now(job_id, connection):
        asked.send({"n": 2}, b"two")
        asked.finish({})
        return False

    monkeypatch.setattr(leases, "is_pending", ends_right_now)

    assert [body for _, body in await parts_of(call)] == [b"one", b"two"]


async def test_redis_that_lost_everything_ends_the_wait(impatient, clean_redis):
    call = await ask()
    clean_redis.flushdb()

    with pytest.raises(CallFailed):
        await parts_of(call)


# Leaving


async def test_call_without_readers_is_not_begun_and_leaves_its_queue(clean_redis, queued):
    call = await ask(audio=b"audio")
    await call.leave()

    assert queued("tts") == []
    assert await sync_to_async(answers.claim)(call.id) is None
    assert clean_redis.keys("voice:call*") == []
    assert clean_redis.keys("rq:job:*") == []


async def test_worker_stops_at_the_next_part_of_a_call_without_readers(clean_redis):
    call = await ask()
    asked = await sync_to_async(answers.claim)(call.id)
    await call.leave()

    with pytest.raises(Forgotten):
        await sync_to_async(asked.send)({"n": 1}, b"one")
    assert clean_redis.keys("voice:call:*") == []


async def test_worker_may_look_between_two_parts_whether_anybody_reads():
    call = await ask()
    asked = await sync_to_async(answers.claim)(call.id)
    await sync_to_async(asked.check_wanted)()
    await call.leave()

    with pytest.raises(Forgotten):
        await sync_to_async(asked.check_wanted)()


async def test_call_goes_on_until_its_last_reader_leaves():
    first, second = await ask(shared_as="same"), await ask(shared_as="same")
    asked = await as_worker(first, lambda asked: asked.send({"n": 1}, b"one"))

    await first.leave()
    await sync_to_async(asked.send)({"n": 2}, b"two")
    await sync_to_async(asked.finish)({})
    assert len(await parts_of(second)) == 2
    await second.leave()

    assert (await ask(shared_as="same")).id != first.id


async def test_leaving_twice_counts_once():
    first, second = await ask(shared_as="same"), await ask(shared_as="same")
    await first.leave()
    await first.leave()

    assert await sync_to_async(answers.claim)(second.id)


async def test_leaving_a_block_leaves_the_call(clean_redis):
    with suppress(ZeroDivisionError):
        async with calls.submitted("tts", REQUEST, queue_limit=10):
            raise ZeroDivisionError

    assert clean_redis.keys("voice:call:*") == []


async def test_who_is_gone_before_the_call_is_made_leaves_the_one_that_was_joined(monkeypatch):
    first = await ask(shared_as="same")
    joined = calls._ASK.run_async

    async def cut_off(*args):
        await joined(*args)
        raise asyncio.CancelledError

    monkeypatch.setattr(calls, "_ASK", SimpleNamespace(run_async=cut_off))
    with suppress(asyncio.CancelledError):
        async with calls.submitted("tts", REQUEST, queue_limit=10, shared_as="same"):
            pass
    assert await sync_to_async(answers.claim)(first.id)
    await first.leave()

    assert await sync_to_async(answers.claim)(first.id) is None


async def test_call_with_an_answer_is_not_answered_twice():
    call = await ask()
    await as_worker(call, answer)

    assert await sync_to_async(answers.claim)(call.id) is None


async def test_unknown_call_is_nothing_to_do():
    assert await sync_to_async(answers.claim)("never-asked") is None
