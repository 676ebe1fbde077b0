"""A candidate with an accommodation: what pages say, what an open page is told, what no message changes."""

import pytest
from asgiref.sync import sync_to_async
from django.urls import reverse
from django.utils import timezone

from interviews.actions import accommodations
from interviews.models import Accommodation, Answer
from interviews.queries import rows
from tests.candidate import consent_form
from tests.interviews.candidate.test_consumer import (  # noqa: F401
    FRAME,
    Browser,
    answer,
    browser,
    recording,
    tidy_up,
    token,
)
from voice.audio.pcm import BYTES_A_SECOND
from voice.live.turn_detection import TurnSettings

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("clean_redis")]


def give(invitation, **what):
    return accommodations.give(
        invitation=invitation, reason="as agreed", by="test", now=timezone.now(), **what
    )


def test_landing_says_what_was_arranged_before_the_start(client, invitation):
    give(invitation, extra_percent=50, is_written=True, has_large_text=True)
    page = client.get(reverse("interviews:landing", args=[invitation.token])).content.decode()
    assert "You have 50 % more time" in page
    assert "You answer in writing. No microphone is needed." in page
    assert "check your microphone" not in page
    assert 'class="large-text"' in page
    assert "as agreed" not in page, "the reason is for those who invite"


def test_landing_of_others_says_nothing_of_it(client, invitation):
    page = client.get(reverse("interviews:landing", args=[invitation.token])).content.decode()
    assert "Arranged for you" not in page
    assert "large-text" not in page


def test_page_notices_nothing_of_those_who_were_given_something(client, invitation):
    def noticed():
        page = client.get(reverse("interviews:landing", args=[invitation.token])).content.decode()
        assert "when your connection is lost" in page
        return "when you leave this page" in page

    assert noticed()
    give(invitation, is_written=True)
    assert not noticed()


def test_candidate_reads_among_the_own_data_that_something_was_arranged(client, invitation):
    give(invitation, extra_percent=50)
    page = client.get(reverse("interviews:data", args=[invitation.token])).content.decode()
    assert "Arranged for you" in page


def test_consent_goes_on_as_for_all(client, invitation):
    give(invitation, is_written=True)
    landing = reverse("interviews:landing", args=[invitation.token])
    form = consent_form(client.get(landing).content.decode())
    assert client.post(landing, form)["Location"].endswith("/room/")


async def test_open_page_is_told_at_once_and_may_record_for_longer(session, browser, recording):  # noqa: F811
    await browser.speak(0)
    await browser.until("ack")
    await sync_to_async(give)(session.invitation, extra_percent=100, is_patient=True)
    while (event := await browser.until("event"))["name"] != "accommodation_changed":
        pass  # the answer began
    assert event["session"]["accommodation"] == {
        "extra_percent": 100,
        "is_untimed": False,
        "is_written": False,
        "has_large_text": False,
    }
    resume = await browser.until("resume")
    assert (resume["offset"], resume["limit_bytes"]) == (len(FRAME), 2 * recording["limit_bytes"])
    await browser.speak(len(FRAME))
    assert (await browser.until("ack"))["offset"] == 2 * len(FRAME)


async def test_page_that_comes_back_reads_the_same_in_the_snapshot(session, token):  # noqa: F811
    await sync_to_async(give)(session.invitation, is_untimed=True)
    snapshot = await Browser(token).open()
    assert snapshot["session"]["accommodation"]["is_untimed"] is True


@pytest.mark.parametrize(
    "message",
    [
        {"type": "accommodate", "extra_percent": 300},
        {"type": "accommodation_changed", "session": {"accommodation": {"is_untimed": True}}},
        {"type": "session.event", "event": {"name": "accommodation_changed"}},
        {
            "type": "begin_answer",
            "extra_percent": 300,
            "limit_bytes": 10**9,
            "accommodation": {"is_untimed": True},
        },
    ],
)
async def test_candidate_changes_nothing_by_a_message(session, browser, answer, message):  # noqa: F811
    await browser.open()
    await browser.say(**{"kind": message.pop("type"), "answer": str(answer.id), **message})
    reply = await browser.next()
    if reply["type"] == "error":
        assert reply["code"] == "unknown_command"
    else:
        begun = await Answer.objects.select_related("recording").aget(pk=answer.id)
        assert begun.recording.max_bytes == begun.answer_limit_seconds * BYTES_A_SECOND
    assert not await Accommodation.objects.aexists()


def test_answer_is_listened_to_with_more_patience(session, monkeypatch):
    from interviews.candidate import listening
    from interviews.candidate.turn_taking import ACCOMMODATED
    from tests.interviews import journey

    used: list[TurnSettings] = []
    monkeypatch.setattr(listening, "Listener", lambda *a, turn_settings, **k: used.append(turn_settings))
    begun = journey.begin_first_question(session)
    for _ in range(2):
        own = rows.answer(rows.session(session.pk), begun.pk)
        listening.listen_to(own, offset=0, tell=None, reply_to="")
        give(session.invitation, is_patient=True)
    assert used[1] == ACCOMMODATED != used[0]
    assert used[1].end_silence_ms > used[0].end_silence_ms
