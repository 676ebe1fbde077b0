"""The feed of events: the outbox in one order that never changes, whoever commits when."""

import threading
from datetime import timedelta
from uuid import uuid4

import pytest
from django.db import connection, transaction
from django.utils import timezone

from accounts.models import ApiKey
from interviews.actions import erasure, event_feed, invitations
from interviews.actions.errors import BadValue
from interviews.models import EventType, WebhookEvent
from interviews.webhooks import sending
from tests import factories
from tests.interviews.api.conftest import calling  # noqa: F401

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("clean_redis")]


@pytest.fixture
def api(calling, interview):  # noqa: F811
    return calling(interview.organisation, ApiKey.Scope.EVENTS_READ)


def invite(interview, now=None):
    now = now or timezone.now()
    return invitations.invite(
        interview=interview, candidate_name="Ada", expires_at=now + timedelta(days=9), by="test", now=now
    )


def types_and_cursor(api, **wanted):
    status, body = api("get", "/events", **wanted)
    assert status == 200, body
    return [(event["type"], event["data"]["invitation_id"]) for event in body["items"]], body["next"]


def test_events_are_kept_for_a_key_that_reads_them(api, interview):
    invitation = invite(interview)

    _status, body = api("get", "/events")

    [told] = body["items"]
    event = WebhookEvent.objects.get()
    assert told == {"id": str(event.pk), "cursor": str(event.position), **sending.message_of(event)}
    assert types_and_cursor(api, after=told["cursor"]) == ([], told["cursor"])
    assert told["data"]["invitation_id"] == str(invitation.pk)
    assert not event.deliveries.exists()


@pytest.mark.parametrize("ended", [{"revoked_at": True}, {"expires_at": True}, {"scopes": ["results:read"]}])
def test_nothing_is_kept_where_no_key_reads(api, interview, ended):
    now = timezone.now()
    ApiKey.objects.update(**{name: now if value is True else value for name, value in ended.items()})
    invite(interview)
    assert not WebhookEvent.objects.exists()


def test_feed_goes_on_where_it_ended(api, interview):
    first = invite(interview)
    told, cursor = types_and_cursor(api)
    assert told == [("invitation.created", str(first.pk))]
    assert types_and_cursor(api, after=cursor) == ([], cursor)

    second, third = invite(interview), invite(interview)

    assert types_and_cursor(api, after=cursor, limit=1)[0] == [("invitation.created", str(second.pk))]
    assert api("get", "/events", after=cursor, limit=1)[1]["has_more"]
    assert [told for _type, told in types_and_cursor(api, after=cursor)[0]] == [str(second.pk), str(third.pk)]
    assert not api("get", "/events", after=cursor)[1]["has_more"]


def test_event_that_is_committed_late_comes_behind_what_was_read(api, interview):
    """Its change began before the first one was read. A feed in the order of time would never show it."""
    may_commit, has_written, early = threading.Event(), threading.Event(), []

    def write_slowly():
        with transaction.atomic():
            early.append(invite(interview, timezone.now() - timedelta(minutes=1)))
            has_written.set()
            may_commit.wait(60)
        connection.close()

    slow = threading.Thread(target=write_slowly)
    slow.start()
    assert has_written.wait(60)
    quick = invite(interview)
    told, cursor = types_and_cursor(api)
    may_commit.set()
    slow.join()

    assert [subject for _type, subject in told] == [str(quick.pk)]
    assert [subject for _type, subject in types_and_cursor(api, after=cursor)[0]] == [str(early[0].pk)]


def test_events_of_a_candidate_keep_their_order_whatever_the_clocks_say(interview):
    subject, now = uuid4(), timezone.now()
    for sequence, minutes in ((1, 0), (2, -5), (3, 1)):
        WebhookEvent.objects.create(
            organisation=interview.organisation,
            type=EventType.INTERVIEW_STARTED,
            subject=subject,
            sequence=sequence,
            data={"invitation_id": str(subject)},
            happened_at=now + timedelta(minutes=minutes),
        )
    found = event_feed.after(0, organisation=interview.organisation)
    assert [(event.position, event.sequence) for event in found] == [(1, 1), (2, 2), (3, 3)]


def test_erased_candidate_is_in_no_event_but_the_last(api, interview):
    invitation = invite(interview)
    _told, cursor = types_and_cursor(api)
    erasure.erase_candidate(invitation=invitation, by="test", now=timezone.now())

    assert types_and_cursor(api)[0] == [("candidate.erased", str(invitation.pk))]
    assert types_and_cursor(api, after=cursor)[0] == [("candidate.erased", str(invitation.pk))]


def test_place_that_the_feed_has_not_reached_is_refused(api, interview):
    invite(interview)
    status, body = api("get", "/events", after="7")
    assert (status, body["code"]) == (422, "bad_value")
    with pytest.raises(BadValue):
        event_feed.after(7, organisation=interview.organisation)


def test_other_organisations_read_their_own_feed(api, calling, interview):  # noqa: F811
    invite(interview)
    foreign = calling(factories.OrganisationFactory(), ApiKey.Scope.EVENTS_READ)
    assert types_and_cursor(foreign) == ([], "0")
