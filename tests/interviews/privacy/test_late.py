"""What a candidate's browser still does after the erasure."""

import pytest
from asgiref.sync import sync_to_async

from interviews.actions import erasure
from interviews.candidate import session as candidate_session
from interviews.candidate.audio import AnswerAudio, FrameRefused
from tests.frames import pack
from tests.interviews import journey
from tests.interviews.candidate.test_consumer import (  # noqa: F401
    PATIENCE_S,
    Browser,
    browser,
    tidy_up,
    token,
)
from voice.infra import channel_layer, redis_clients
from voice.models import PendingErasure
from voice.workers import erasing

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("clean_redis")]


def erase(session):
    from django.utils import timezone

    return erasure.erase_candidate(invitation=session.invitation, by="test", now=timezone.now())


async def test_connection_ends_and_the_link_is_unknown(browser, session, token):  # noqa: F811
    await browser.open()
    await sync_to_async(erase)(session)
    assert await browser.close_code() == 4010

    again = Browser(token)
    await again.socket.connect(timeout=PATIENCE_S)
    assert await again.close_code() == 4004


@pytest.mark.parametrize("message", ["ping", "devices_checked"])
async def test_connection_that_was_not_told_ends_with_its_next_message(
    browser,  # noqa: F811
    session,
    monkeypatch,
    message,
):
    monkeypatch.setattr(channel_layer, "group_send", lambda *args: None)  # the message is lost
    monkeypatch.setattr(candidate_session, "SEEN_EVERY_S", 0)
    await browser.open()
    await sync_to_async(erase)(session)
    await browser.say(message)
    assert await browser.close_code() == 4010


async def test_late_audio_is_refused_and_not_kept(session):
    answer = await sync_to_async(journey.begin_first_question)(session)
    audio, late = AnswerAudio(answer, writer="a"), AnswerAudio(answer, writer="b")
    await audio.open()
    await sync_to_async(erase)(session)
    await sync_to_async(_run_pending)()
    for refused in (audio.hold(pack(0, bytes(8000))), late.open()):
        with pytest.raises(FrameRefused) as refusal:
            await refused
        assert refusal.value.code == "not_recording"
    left = await redis_clients.async_client().keys("voice:recording:*")
    assert left == [f"voice:recording:{answer.recording_id}:erased".encode()]


def _run_pending() -> None:
    erasing.erase_keys(list(PendingErasure.objects.values_list("key", flat=True)))
