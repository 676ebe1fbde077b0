import asyncio
import contextlib
import json
from datetime import timedelta
from typing import ClassVar

import pytest
import redis
from asgiref.sync import sync_to_async
from channels.testing import WebsocketCommunicator
from channels_redis.pubsub import RedisPubSubLoopLayer
from django.db import connections
from django.utils import timezone
from prometheus_client import REGISTRY

from interview_platform.asgi import application
from interviews import tokens
from interviews.actions import invitations
from interviews.admission import time_spent
from interviews.candidate import consumer, metrics
from interviews.models import Answer, Invitation, Session
from tests.frames import pack
from tests.interviews import journey
from tests.speech import spoken
from voice.audio.pcm import s16le_from_samples
from voice.capacity import shedding
from voice.recordings import frames

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("clean_redis")]

FRAME = bytes(range(256)) * 31 + bytes(64)  # 8 000 bytes, 250 ms
assert len(FRAME) == 8000


PATIENCE_S = 120  # on a machine that is busy with other things


class Browser:
    """A candidate's connection in a test."""

    opened: ClassVar[list["Browser"]] = []

    def __init__(self, token: str, query: str = "") -> None:
        headers = [(b"origin", b"http://127.0.0.1"), (b"host", b"127.0.0.1")]
        path = f"/ws/interviews/{token}/{query}"
        self.socket = WebsocketCommunicator(application, path, headers=headers)
        self.opened.append(self)

    async def open(self) -> dict:
        connected, _ = await self.socket.connect(timeout=PATIENCE_S)
        assert connected
        return await self.next()

    async def next(self) -> dict:
        return await self.socket.receive_json_from(timeout=PATIENCE_S)

    async def until(self, kind: str) -> dict:
        while True:
            message = await self.next()
            if message["type"] == kind:
                return message

    async def say(self, kind: str, **fields) -> None:
        await self.socket.send_json_to({"type": kind, **fields})

    async def speak(self, offset: int, pcm: bytes = FRAME) -> None:
        await self.socket.send_to(bytes_data=pack(offset, pcm))

    async def close(self) -> None:
        """Disconnect. After a failed test the task may already be cancelled, which pytest must not see."""
        with contextlib.suppress(asyncio.CancelledError):
            await self.socket.disconnect(timeout=PATIENCE_S)

    async def close_code(self) -> int:
        while True:
            output = await self.socket.receive_output(timeout=PATIENCE_S)
            if output["type"] == "websocket.close":
                return output["code"]


@pytest.fixture(autouse=True)
async def tidy_up():
    """Close every connection of the test."""
    yield
    while Browser.opened:
        await Browser.opened.pop().close()


@pytest.fixture
async def answer(session) -> Answer:
    await sync_to_async(journey.get_under_way)(session)
    return (await sync_to_async(journey.questions)(session))[0]


@pytest.fixture
def token(session) -> str:
    return session.invitation.token


@pytest.fixture
async def browser(token):
    browser = Browser(token)
    yield browser
    await browser.close()


@pytest.fixture
async def recording(browser, answer) -> dict:
    """A browser that records the first answer."""
    await browser.open()
    await browser.say("begin_answer", answer=str(answer.id))
    return await browser.until("resume")


async def test_first_message_is_the_snapshot(browser, session):
    snapshot = await browser.open()
    assert snapshot["type"] == "snapshot"
    assert snapshot["session"]["id"] == str(session.id)
    assert [a["position"] for a in snapshot["answers"]] == [0, 1, 2, 3]


async def test_unknown_link_is_closed_with_4004():
    browser = Browser("nobody-has-this")
    await browser.socket.connect(timeout=PATIENCE_S)
    assert await browser.close_code() == 4004


async def test_link_without_consent_is_closed_with_4004(invitation):
    browser = Browser(invitation.token)
    await browser.socket.connect(timeout=PATIENCE_S)
    assert await browser.close_code() == 4004


async def test_revoked_link_is_closed_with_4010(session, token):
    await Invitation.objects.filter(pk=session.invitation_id).aupdate(status="revoked")
    browser = Browser(token)
    await browser.socket.connect(timeout=PATIENCE_S)
    assert await browser.close_code() == 4010


@pytest.mark.parametrize("status", ["under_way", "finished"])
async def test_open_connections_end_when_the_link_is_revoked(browser, session, status):
    await browser.open()
    if status == "finished":
        await sync_to_async(finish)(session)
    await sync_to_async(invitations.revoke)(invitation=session.invitation, by="test", now=timezone.now())
    assert await browser.close_code() == 4010


async def test_link_revoked_while_a_connection_comes_in_shows_nothing(session, token, monkeypatch):
    """The connection was found to be good, and is not yet in the group that is told."""
    find = consumer.find

    async def find_then_revoke(token):
        found = await find(token)
        await sync_to_async(invitations.revoke)(invitation=session.invitation, by="test", now=timezone.now())
        return found

    await sync_to_async(finish)(session)
    monkeypatch.setattr(consumer, "find", find_then_revoke)
    browser = Browser(token)
    await browser.socket.connect(timeout=PATIENCE_S)
    first = await browser.socket.receive_output(timeout=PATIENCE_S)
    assert (first["type"], first.get("code")) == ("websocket.close", 4010)


async def test_answers_are_shown_for_some_days_and_by_a_temporary_link(session, token, settings):
    await sync_to_async(finish)(session, days_ago=settings.ANSWERS_SHOWN_DAYS)
    late = Browser(token)
    await late.socket.connect(timeout=PATIENCE_S)
    assert await late.close_code() == 4010
    until = timezone.now() + timedelta(hours=1)
    again = Browser(tokens.temporary(session.invitation_id, until=until))
    assert (await again.open())["type"] == "snapshot"


def finish(session, days_ago: float = 0) -> None:
    finished_at = timezone.now() - timedelta(days=days_ago)
    Session.objects.filter(pk=session.pk).update(status="finished", finished_at=finished_at)
    Invitation.objects.filter(pk=session.invitation_id).update(status="finished")


async def test_question_played_again_is_counted_until_it_is_answered(browser, answer):
    await browser.open()
    for command in ("hear_again", "ask", "hear_again", "hear_again", "begin_answer", "hear_again"):
        await browser.say(command, answer=str(answer.id))
    await browser.until("resume")
    await browser.say("ping")
    await browser.until("pong")
    await answer.arefresh_from_db()
    assert answer.heard_again == 2


async def test_frames_are_acknowledged_and_held(browser, recording):
    await browser.speak(0)
    assert (await browser.until("ack"))["offset"] == 8000
    await browser.speak(8000)
    assert (await browser.until("ack"))["offset"] == 16_000
    from voice.recordings import buffer

    assert await sync_to_async(buffer.read)(recording["recording"]) == FRAME * 2


async def test_frame_sent_twice_is_held_once(browser, recording):
    for _ in range(2):
        await browser.speak(0)
        assert (await browser.until("ack"))["offset"] == 8000


async def test_overlapping_frame_adds_only_what_is_new(browser, recording):
    await browser.speak(0)
    await browser.until("ack")
    await browser.speak(4000, FRAME)
    assert (await browser.until("ack"))["offset"] == 12_000


async def test_gap_is_refused_with_the_offset_to_resume_from(browser, recording):
    await browser.speak(0)
    await browser.until("ack")
    await browser.speak(16_000)
    error = await browser.until("error")
    assert (error["code"], error["offset"]) == ("gap", 8000)


@pytest.mark.parametrize("data", [b"1234", pack(0, b"odd"), pack(1, b"even")])
async def test_malformed_frame_is_refused(browser, recording, data):
    await browser.socket.send_to(bytes_data=data)
    assert (await browser.until("error"))["code"] == "bad_frame"


async def test_frame_without_a_recording_is_refused(browser):
    await browser.open()
    await browser.speak(0)
    assert (await browser.until("error"))["code"] == "not_recording"


async def test_page_is_asked_for_longer_frames_when_captions_are_off(browser, recording, monkeypatch):
    assert recording["frame_ms"] == 250
    monkeypatch.setattr(shedding, "is_off", lambda step: step <= shedding.Step.CAPTIONS)
    await browser.speak(0)
    assert await browser.until("frames") == {"type": "frames", "ms": 1000}

    await browser.speak(8000, 4 * FRAME)
    assert (await browser.until("ack"))["offset"] == 40_000
    await browser.say("select", answer=recording["answer"])
    assert (await browser.until("resume"))["frame_ms"] == 1000


async def test_frame_beyond_the_limit_is_refused(browser, recording):
    limit, sent = recording["limit_bytes"], 0
    while sent < limit:
        pcm = b"\1\0" * (min(frames.MAX_PCM_BYTES, limit - sent) // 2)
        await browser.speak(sent, pcm)
        sent = (await browser.until("ack"))["offset"]
    await browser.speak(sent)
    assert (await browser.until("error"))["code"] == "over_limit"


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("not json", "bad_message"),
        ("[]", "bad_message"),
        ('{"type": 3}', "bad_message"),
        ('{"type": "begin_answer"}', "bad_message"),
        ('{"type": "finish_answer", "answer": "x", "bytes": -1}', "bad_message"),
        ('{"type": "dance"}', "unknown_command"),
        ('{"type": "begin_answer", "answer": "x"}', "not_yours"),
    ],
)
async def test_bad_text_gets_one_error_and_the_connection_stays(browser, text, code):
    await browser.open()
    await browser.socket.send_to(text_data=text)
    assert (await browser.until("error"))["code"] == code
    await browser.say("ping")
    assert (await browser.until("pong")) == {"type": "pong"}


async def test_answer_of_another_interview_is_refused(browser, make_invitation):
    from interviews.actions import sessions

    other = await sync_to_async(sessions.start)(
        invitation=await sync_to_async(make_invitation)(), now=timezone.now()
    )
    theirs = await other.answers.aget(position=1)
    await browser.open()
    await browser.say("begin_answer", answer=str(theirs.id))
    assert (await browser.until("error"))["code"] == "not_yours"


async def test_newer_tab_takes_over_and_the_older_says_so(token, answer):
    older, newer = Browser(token), Browser(token)
    await older.open()
    await older.say("begin_answer", answer=str(answer.id))
    await older.until("resume")
    await older.speak(0)
    await older.until("ack")
    await newer.open()
    assert (await older.until("taken_over")) == {"type": "taken_over"}
    assert await older.close_code() == 4001
    await newer.say("select", answer=str(answer.id))
    assert (await newer.until("resume"))["offset"] == 8000
    await newer.close()


async def test_older_tab_that_missed_the_message_cannot_write(browser, recording):
    from voice.recordings import buffer

    await buffer.open_for(recording["recording"], writer="another", limit_bytes=100_000)
    await browser.speak(0)
    await browser.until("taken_over")
    assert await sync_to_async(buffer.read)(recording["recording"]) == b""


async def test_redis_that_lost_everything_is_filled_again(browser, recording):
    from voice.recordings import buffer

    await browser.speak(0)
    await browser.until("ack")
    await sync_to_async(buffer.delete)(recording["recording"])
    await browser.speak(8000)
    error = await browser.until("error")
    assert (error["code"], error["offset"]) == ("gap", 0)
    await browser.speak(0)
    assert (await browser.until("ack"))["offset"] == 8000


async def test_finish_before_the_audio_arrived_says_what_is_missing(browser, recording):
    await browser.speak(0)
    await browser.until("ack")
    await browser.say("finish_answer", answer=recording["answer"], bytes=24_000)
    error = await browser.until("error")
    assert (error["code"], error["offset"]) == ("audio_missing", 8000)


async def test_finish_moves_on_to_the_next_question(browser, recording, answer):
    await browser.speak(0)
    await browser.until("ack")
    await browser.say("finish_answer", answer=recording["answer"], bytes=8000)
    while (event := await browser.until("event"))["name"] != "answer_finished":
        pass
    assert event["answer"]["status"] == "accepted"
    assert event["answer"]["recording"]["bytes"] == 8000
    assert event["session"]["current_answer"] != str(answer.id)


async def test_sealed_recording_can_be_filled_up_but_not_extended(browser, recording):
    from voice.recordings import buffer

    await browser.speak(0)
    await browser.until("ack")
    await browser.say("finish_answer", answer=recording["answer"], bytes=8000)
    while (await browser.until("event"))["name"] != "answer_finished":
        pass
    await sync_to_async(buffer.delete)(recording["recording"])
    await browser.say("select", answer=recording["answer"])
    assert (await browser.until("resume"))["limit_bytes"] == 8000
    await browser.speak(0)
    assert (await browser.until("ack"))["offset"] == 8000
    await browser.speak(8000)
    assert (await browser.until("error"))["code"] == "over_limit"


async def test_messages_are_plain_json(browser):
    await browser.socket.connect(timeout=PATIENCE_S)
    output = await browser.socket.receive_output(timeout=PATIENCE_S)
    assert json.loads(output["text"])["type"] == "snapshot"


class Tab(Browser):
    """A browser tab with an id."""

    def __init__(self, token: str, tab: str, *, is_claiming: bool = False) -> None:
        super().__init__(token, f"?tab={tab}" + ("&claim=1" if is_claiming else ""))


async def test_tab_that_only_reconnects_does_not_take_over(token, answer):
    laptop, phone = Tab(token, "laptop", is_claiming=True), Tab(token, "phone", is_claiming=True)
    await laptop.open()
    await phone.open()
    assert await laptop.close_code() == 4001
    returning = Tab(token, "laptop")
    await returning.socket.connect(timeout=PATIENCE_S)
    assert await returning.close_code() == 4001
    await phone.say("ping")
    assert await phone.until("pong") == {"type": "pong"}
    await phone.close()


async def test_holding_tab_may_reconnect(token, answer):
    first = Tab(token, "laptop", is_claiming=True)
    await first.open()
    await first.close()
    again = Tab(token, "laptop")
    assert (await again.open())["type"] == "snapshot"
    await again.close()


async def test_candidate_who_comes_back_is_noted_as_a_fact(token, answer, session):
    for query in ("&claim=1", "", "&claim=1"):
        page = Browser(token, f"?tab=laptop{query}")
        await page.open()
        await page.close()
    kinds = sync_to_async(lambda: [row.kind for row in session.observations.all()])
    assert await kinds() == ["reconnected", "opened_again"]


async def test_what_the_page_notices_is_noted_at_its_question(browser, answer, session):
    state = await browser.open()
    assert state["session"]["has_page_facts"]
    await browser.say("ask", answer=str(answer.pk))
    await browser.until("event")
    for what in ("page_left", "page_back", "second_screen"):
        await browser.say(what, at="1999-01-01T00:00:00Z")
    await browser.say("pasted", characters=12, text="secret")
    await browser.say("pasted", characters=-1)
    assert (await browser.until("error"))["code"] == "bad_message"
    rows = await sync_to_async(lambda: list(session.observations.order_by("pk")))()
    assert [(row.kind, row.characters) for row in rows] == [
        *(("left_page", None), ("second_screen", None), ("pasted", 12)),
    ]
    assert {row.answer_id for row in rows} == {answer.pk}
    assert rows[0].ended_at >= rows[0].happened_at > session.consented_at


async def test_page_that_says_too_much_is_not_heard(browser, answer, session):
    await browser.open()
    for _ in range(50):
        await browser.say("pasted", characters=1)
    await browser.say("ping")
    await browser.until("pong")
    assert await sync_to_async(session.observations.count)() < 50


async def test_own_connection_that_was_held_up_does_not_end_the_page(token, answer):
    page, given_up = Tab(token, "laptop", is_claiming=True), Tab(token, "laptop")
    await page.open()
    await given_up.socket.connect(timeout=PATIENCE_S)
    assert await page.close_code() == 1013  # reconnect; 4001 would mean that another tab has the interview


@pytest.mark.parametrize("step", ["new_channel", "group_add"])
async def test_who_comes_while_redis_is_away_is_told_to_come_back(token, answer, monkeypatch, step):
    async def refuse(*args):
        raise redis.ConnectionError("no")

    monkeypatch.setattr(RedisPubSubLoopLayer, step, refuse)
    tab = Tab(token, "laptop")
    is_accepted, _ = await tab.socket.connect(timeout=PATIENCE_S)
    assert is_accepted  # a refused handshake has no close code
    assert await tab.close_code() == 1013


async def test_ping_joins_the_group_that_redis_forgot(browser, answer, clean_redis):
    await browser.open()
    await sync_to_async(clean_redis.flushdb)()
    await browser.say("ping")
    await browser.until("pong")
    await browser.say("ask", answer=str(answer.id))
    assert (await browser.until("event"))["name"] == "question_asked"


async def test_late_frame_does_not_bring_deleted_audio_back(browser, session):
    from interviews.models import Session
    from voice.recordings import buffer

    await browser.open()
    await Session.objects.filter(pk=session.pk).aupdate(status="practising")
    practice = await session.answers.aget(position=0)
    await browser.say("begin_answer", answer=str(practice.id))
    resume = await browser.until("resume")
    await browser.speak(0)
    await browser.until("ack")
    await browser.say("skip_practice")
    await browser.until("event")
    await browser.speak(0)
    assert (await browser.until("error"))["code"] == "not_recording"
    assert await sync_to_async(buffer.read)(resume["recording"]) == b""


async def test_listener_that_fails_leaves_the_recording_alone(browser, answer, monkeypatch):
    from voice.errors import EngineUnavailable
    from voice.live import detectors

    def missing():
        raise EngineUnavailable("no voice activity model")

    monkeypatch.setattr(detectors, "voice_activity", missing)
    await browser.open()
    await browser.say("begin_answer", answer=str(answer.id))
    resume = await browser.until("resume")
    await browser.speak(0)
    await browser.until("ack")
    await browser.say("finish_answer", answer=resume["answer"], bytes=8000)
    assert (await browser.until("event"))["type"] == "event"
    await browser.say("ping")
    assert await browser.until("pong") == {"type": "pong"}


async def test_listener_is_as_patient_as_the_interview(browser, answer, session, monkeypatch):
    from interviews.candidate import listening
    from interviews.candidate.turn_taking import TURN_SETTINGS
    from interviews.models import InterviewVersion

    patience = []

    class Curious(listening.Listener):
        def __init__(self, name, **options):
            patience.append(options["turn_settings"])
            super().__init__(name, **options)

    monkeypatch.setattr(listening, "Listener", Curious)
    await sync_to_async(InterviewVersion.objects.update)(patience="patient")
    await browser.open()
    await browser.say("begin_answer", answer=str(answer.id))
    await browser.until("resume")
    assert patience == [TURN_SETTINGS[InterviewVersion.Patience.PATIENT]]


@pytest.fixture
def listeners(monkeypatch):
    """The listeners that were begun, the newest last."""
    from interviews.candidate import listening

    begun = []

    class Noted(listening.Listener):
        def __init__(self, name, **options):
            super().__init__(name, **options)
            begun.append(self)

    monkeypatch.setattr(listening, "Listener", Noted)
    return begun


async def test_server_stops_listening_to_a_page_that_hears_by_itself(browser, answer, listeners, monkeypatch):
    level = [shedding.Step.HEARING]
    monkeypatch.setattr(shedding, "is_off", lambda step: level[0] >= step)
    monkeypatch.setattr("interviews.candidate.relief.SOONEST_END_S", 0.0)
    monkeypatch.setattr("interviews.candidate.relief.LATEST_END_S", 0.0)
    await browser.open()
    resume = await begin(browser, answer)
    await browser.speak(0)
    hear = {"type": "hear", "answer": resume["answer"], "end_silence_ms": 3000, "is_in_turn": False}
    assert await browser.until("hear") == hear
    assert not listeners[-1]._is_closed

    await browser.say("hearing", answer=resume["answer"])
    await browser.speak(8000)
    assert (await browser.until("ack"))["offset"] == 16_000
    assert listeners[-1]._is_closed
    level[0] = 0
    await browser.speak(16_000)
    await browser.until("frames")
    assert len(listeners) == 2
    assert not listeners[-1]._is_closed


async def test_silent_answer_that_the_page_heard_is_not_called_silent(browser, answer, monkeypatch):
    await Answer.objects.aupdate(answer_limit_seconds=1)
    monkeypatch.setattr(shedding, "is_off", lambda step: step <= shedding.Step.HEARING)
    await browser.open()
    resume = await begin(browser, answer)
    await browser.speak(0, SECOND_OF_SILENCE[:8000])
    await browser.until("hear")
    await browser.say("hearing", answer=resume["answer"])
    event = await finish_in_silence(browser, resume)
    assert (event["answer"]["status"], event["answer"]["is_silent"]) == ("recorded", False)


async def test_page_that_was_not_asked_is_listened_to(browser, answer, listeners):
    await browser.open()
    resume = await begin(browser, answer)
    await browser.say("hearing", answer=resume["answer"])
    await browser.speak(0)
    await browser.until("ack")
    assert not listeners[-1]._is_closed


SECOND_OF_SILENCE = bytes(32_000)


async def next_two(browser) -> dict[str, dict]:
    """The next two messages by type: an event may come before or after the reply."""
    return {message["type"]: message for message in [await browser.next(), await browser.next()]}


async def begin(browser, answer) -> dict:
    """Begin an answer; return `resume` once the event has come too."""
    await browser.say("begin_answer", answer=str(answer.id))
    messages = await next_two(browser)
    assert messages["event"]["name"] == "answer_began"
    return messages["resume"]


async def finish_in_silence(browser, resume):
    await browser.speak(0, SECOND_OF_SILENCE)
    await browser.until("ack")
    await browser.say("finish_answer", answer=resume["answer"], bytes=len(SECOND_OF_SILENCE))
    return await browser.until("event")


async def test_silent_answer_at_its_limit_is_asked_again_and_then_waits(browser, answer):
    await Answer.objects.aupdate(answer_limit_seconds=1)
    await browser.open()
    told = []
    for _ in range(2):
        resume = await begin(browser, answer)
        told.append(await finish_in_silence(browser, resume))
    assert [event["name"] for event in told] == ["question_asked_again", "answer_finished"]
    states = [(event["answer"]["status"], event["answer"]["is_silent"]) for event in told]
    assert states == [("asked", False), ("recorded", True)]
    assert all(event["session"]["current_answer"] == str(answer.id) for event in told)


async def test_answer_at_its_limit_that_was_heard_in_part_is_not_called_silent(browser, token, answer):
    await Answer.objects.aupdate(answer_limit_seconds=1)
    await browser.open()
    await begin(browser, answer)
    await browser.speak(0, bytes(16_000))
    await browser.until("ack")
    await browser.close()
    again = Browser(token)
    await again.open()
    await again.say("select", answer=str(answer.id))
    told = await finish_in_silence(again, await again.until("resume"))
    assert (told["name"], told["answer"]["status"]) == ("answer_finished", "recorded")
    assert not told["answer"]["is_silent"]


@pytest.fixture
def punctual(monkeypatch):
    """The server's clock allows no tolerance."""
    monkeypatch.setattr("interviews.candidate.clock.TOLERANCE_S", 0.0)


async def test_server_begins_an_answer_whose_time_to_think_is_over(browser, answer, punctual):
    await Answer.objects.aupdate(think_seconds=1)
    await browser.open()
    await browser.say("ask", answer=str(answer.id))
    await browser.until("event")
    event = await browser.until("event")  # the page says nothing
    assert (event["name"], event["answer"]["status"]) == ("answer_began", "recording")
    await browser.say("select", answer=str(answer.id))
    assert (await browser.until("resume"))["offset"] == 0


async def test_time_to_think_goes_on_with_the_next_connection(browser, answer, token):
    await browser.open()
    await browser.say("ask", answer=str(answer.id))
    await browser.until("event")
    await browser.close()
    before = await time_spent.read(answer.session_id)
    assert [phase.partition(":")[0] for phase in before] == [str(answer.id)]
    again = Browser(token)
    await again.open()
    await again.close()
    after = await time_spent.read(answer.session_id)
    assert after.keys() == before.keys()
    assert sum(after.values()) > sum(before.values()) > 0


@pytest.fixture
def looked(monkeypatch) -> asyncio.Queue:
    """An entry for each time that the server has looked whether an answer is over."""
    looked, look = asyncio.Queue(), consumer.CandidateConsumer.answer_over

    async def look_and_say_so(connection, message):
        await look(connection, message)
        looked.put_nowait(message)

    monkeypatch.setattr(consumer.CandidateConsumer, "answer_over", look_and_say_so)
    return looked


async def test_server_ends_an_answer_in_which_nothing_came_and_no_other(browser, answer, punctual, looked):
    await Answer.objects.aupdate(answer_limit_seconds=2)
    await browser.open()
    await begin(browser, answer)
    assert (await browser.until("event"))["name"] == "question_asked_again"
    await begin(browser, answer)
    await browser.speak(0, s16le_from_samples(spoken("I liked that work very much.")))
    await browser.until("speech_start")
    for _ in range(looked.qsize() + 1):
        await asyncio.wait_for(looked.get(), PATIENCE_S)
    assert (await Answer.objects.aget(pk=answer.pk)).status == Answer.Status.RECORDING


async def test_systems_clock_that_jumps_ends_nobodys_time(browser, answer, looked, monkeypatch):
    await browser.open()
    await begin(browser, answer)
    an_hour_later = timezone.now() + timedelta(hours=1)
    monkeypatch.setattr(timezone, "now", lambda: an_hour_later)
    await browser.say("select", answer=str(answer.id))  # after each command the server sets its alarm anew
    await browser.until("resume")
    assert await browser.socket.receive_nothing(timeout=1)
    assert looked.empty()
    assert (await Answer.objects.aget(pk=answer.pk)).status == Answer.Status.RECORDING


async def test_server_leaves_time_to_who_writes(browser, answer, punctual):
    await Answer.objects.aupdate(think_seconds=1)
    await browser.open()
    await browser.say("ask", answer=str(answer.id))
    await browser.until("event")
    await browser.say("writing", answer=str(answer.id))
    await browser.say("ping")
    assert (await browser.next())["type"] == "pong"
    assert await browser.socket.receive_nothing(timeout=2)


async def test_captions_hold_no_database_connection(browser, recording, monkeypatch):
    """A caption is requested in a thread of its own, whose database connection would never be released."""
    from voice.queues import jobs

    def refuse(*args, **kwargs):
        raise AssertionError("a caption touched the database")

    job = (
        "stt-partial",
        "voice.workers.transcription.recognise_partial",
        recording["recording"],
        0,
        8000,
        "en",
        "channel",
    )
    with monkeypatch.context() as patch:
        patch.setattr(type(connections["default"]), "ensure_connection", refuse)
        await sync_to_async(jobs.enqueue_now, thread_sensitive=False)(*job)


@pytest.mark.parametrize(
    "text", ["[" * 100_000, '{"type": "type_answer", "answer": "%s", "text": "\\ud800"}']
)
async def test_odd_text_gets_an_error_not_a_crash(browser, answer, text):
    await browser.open()
    await browser.socket.send_to(text_data=text % answer.id if "%s" in text else text)
    assert (await browser.until("error"))["code"] in ("bad_message", "bad_value")


def counted(name: str, **labels: str) -> float:
    return REGISTRY.get_sample_value(name, labels) or 0.0


async def test_frames_refusals_and_connections_are_counted(browser, recording):
    names = ["interviews_frames_total", "interviews_frame_bytes_total", "interviews_ack_seconds_count"]
    metrics._frames.flush()
    before = [counted(name) for name in names]
    gaps = counted("interviews_frames_refused_total", code="gap")
    mistakes = counted("interviews_errors_total", code="unknown_command")
    await browser.speak(0)
    await browser.until("ack")
    await browser.speak(16_000)
    await browser.until("error")
    await browser.say("sing")
    await browser.until("error")
    metrics._frames.flush()
    assert [counted(name) - was for name, was in zip(names, before, strict=True)] == [1, 8000, 1]
    assert counted("interviews_frames_refused_total", code="gap") == gaps + 1
    assert counted("interviews_errors_total", code="unknown_command") == mistakes + 1

    connected = counted("interviews_connections")
    await browser.close()
    assert counted("interviews_connections") == connected - 1


async def test_connection_has_its_process_watched(browser, monkeypatch):
    watched = []
    monkeypatch.setattr(shedding, "watch", lambda behind_s: watched.append(1))
    await browser.open()
    assert watched == [1]
