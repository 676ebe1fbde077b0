"""A candidate's connection in the waiting room."""

from uuid import uuid4

import pytest
from asgiref.sync import sync_to_async
from django.utils import timezone

from interviews.actions import sessions
from interviews.admission import places, waiting_room
from interviews.models import Session
from interviews.models.question import expected_minutes
from tests.interviews import journey
from tests.interviews.candidate.test_consumer import Browser

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("clean_redis")]

SOMEBODY = uuid4()


@pytest.fixture
def full(settings, clean_redis, monkeypatch):
    """Another candidate has the only place."""
    settings.CANDIDATES_AT_ONCE = 1
    clean_redis.set("interviews:admission:epoch", 1)
    monkeypatch.setattr(waiting_room, "REFRESH_EVERY_S", 0.05)


@pytest.fixture
async def browser(full, session):
    await places.attend(inside=[SOMEBODY], in_line=[])
    browser = Browser(session.invitation.token)
    yield browser
    await browser.close()


async def test_new_candidate_is_told_to_wait_and_gets_the_snapshot_when_there_is_a_place(browser, session):
    expected_s = 60 * await sync_to_async(lambda: expected_minutes(session.interview.questions.all()))()
    assert await browser.open() == {"type": "waiting", "place": 1, "estimate_s": expected_s}

    await places.give_back(SOMEBODY)
    snapshot = await browser.next()
    assert snapshot["type"] == "snapshot"
    assert snapshot["session"]["status"] == "checking"
    await browser.say("devices_checked")
    assert (await browser.until("event"))["name"] == "devices_checked"


async def test_waiting_candidate_can_only_wait(browser):
    await browser.open()
    await browser.say("devices_checked")
    error = await browser.until("error")
    assert error["code"] == "waiting"

    await browser.say("ping")
    await browser.until("pong")


async def test_event_is_not_sent_before_the_snapshot(browser, session):
    await browser.open()
    await sync_to_async(sessions.check_devices)(session=session, by="test", now=timezone.now())
    await places.give_back(SOMEBODY)

    snapshot = await browser.next()
    assert (snapshot["type"], snapshot["session"]["status"]) == ("snapshot", "practising")


async def test_waiting_is_not_being_seen(browser, session):
    long_ago = session.consented_at
    await Session.objects.filter(pk=session.pk).aupdate(last_seen_at=long_ago)
    await browser.open()
    await browser.say("ping")
    await browser.until("pong")
    await browser.close()

    await session.arefresh_from_db()
    assert session.last_seen_at == long_ago


async def test_interview_under_way_begins_with_the_snapshot(browser, session):
    await sync_to_async(journey.get_under_way)(session)

    assert (await browser.open())["type"] == "snapshot"


async def test_candidate_who_finishes_gives_the_place_to_the_next(browser, session, make_invitation):
    await sync_to_async(journey.get_under_way)(session)
    await places.give_back(SOMEBODY)
    await browser.open()
    other = await sync_to_async(sessions.start)(
        invitation=await sync_to_async(make_invitation)(), now=timezone.now()
    )
    waiting = Browser((await Session.objects.select_related("invitation").aget(pk=other.pk)).invitation.token)
    assert (await waiting.open())["type"] == "waiting"

    for answer in await sync_to_async(journey.questions)(session):
        await browser.say("type_answer", answer=str(answer.id), text="written", bytes=0)
    await waiting.until("snapshot")
    await waiting.close()


async def test_tab_that_waits_gives_way_to_another(browser, session):
    await browser.open()
    other = Browser(session.invitation.token)
    assert (await other.open())["place"] == 1

    assert await browser.close_code() == 4001
    await other.close()
