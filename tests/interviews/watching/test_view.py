"""What is shown of interviews under way, in words."""

from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
from asgiref.sync import async_to_sync
from django.urls import reverse
from django.utils import timezone

from accounts.models import Membership, User
from interviews.admission import places, waiting_room
from interviews.admission.places import InLine
from interviews.models import Accommodation
from interviews.watching import view
from interviews.watching.view import Shown
from tests import factories

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("clean_redis")]


@pytest.fixture
def session(interview):
    session = factories.SessionFactory(
        started=True,
        invitation__interview=interview,
        invitation__candidate_name="Zoë <b>",
        status="under_way",
    )
    factories.AnswerFactory(session=session, position=1, accepted=True)
    factories.AnswerFactory(session=session, position=2, asked=True)
    return session


def shown_while(session, user):
    """Return what a row is while the candidate thinks, answers, and has answered."""
    recorded = {"recording": factories.RecordingFactory(), "began_at": timezone.now()}
    for status in ("asked", "recording", "recorded"):
        session.answers.filter(position=2).update(status=status, **recorded)
        yield row_of(User.objects.get(pk=user.pk))


def connect(*sessions):
    async_to_sync(places.attend)(inside=[session.pk for session in sessions], in_line=[])


def age_lease(client, session, seconds):
    client.zincrby("interviews:admission:places", -1000 * seconds, str(session.pk))


def row_of(user):
    [row] = view.read(user, Shown()).rows
    return row


def test_row_says_who_is_where(member, session):
    connect(session)
    row = row_of(member())
    assert (row.name, row.interview, row.question) == ("Zoë <b>", "Keeper of bees", "Question 2 of 2")
    assert (row.doing, row.progress, row.connection, row.seen) == (
        "thinking",
        "1 of 2 answered",
        "connected",
        "now",
    )
    assert row.address == reverse("admin:interviews_session_change", args=[session.pk])


def test_connection_is_away_once_its_process_missed_two_rounds(member, session, clean_redis):
    user = member()
    connect(session)
    age_lease(clean_redis, session, waiting_room.CONNECTED_WITHIN_S - 3)
    assert not row_of(user).is_away, "a reload is no absence"
    age_lease(clean_redis, session, 3)
    assert (row_of(user).connection, row_of(user).is_away) == ("away", True)


@pytest.mark.parametrize(("minutes", "said"), [(5, "9:55 a.m."), (60 * 24, "05/03/2026 10 a.m.")])
def test_last_seen_is_a_time_of_today_or_a_day(session, minutes, said):
    now = datetime(2026, 5, 4, 10, tzinfo=UTC)
    session.last_seen_at = now - timedelta(minutes=minutes)
    assert view._seen(session, waiting_room.Connection(is_open=False), now=now) == said


def test_lost_connection_was_seen_when_its_lease_was_renewed(session):
    now = datetime(2026, 5, 4, 10, tzinfo=UTC)
    session.last_seen_at = now - timedelta(minutes=5)
    lost = waiting_room.Connection(is_open=False, lost_s=60)
    assert view._seen(session, lost, now=now) == "9:59 a.m."


def test_candidate_in_line_waits_to_be_let_in(member, interview, settings):
    settings.CANDIDATES_AT_ONCE = 1
    session = factories.SessionFactory(started=True, invitation__interview=interview)
    async_to_sync(places.attend)(inside=[uuid4()], in_line=[InLine(session.pk, 0, can_enter=True)])
    row = row_of(member())
    assert (row.doing, row.tone, row.connection) == (
        "in line, waiting to be let in",
        "in-line",
        "connected",
    )


def test_without_redis_the_connection_is_not_known(member, session, monkeypatch):
    def unreachable(session_ids):
        raise waiting_room.redis.ConnectionError

    monkeypatch.setattr(places, "renewed", unreachable)
    assert (row_of(member()).connection, row_of(member()).is_away) == ("not known", False)


def test_reviewer_does_not_see_how_long_a_candidate_thinks(member, session):
    first, *others = shown_while(session, member(Membership.Role.REVIEWER))
    assert (first.doing, first.tone, first.question) == (
        "answers questions",
        "at-question",
        "Question 2 of 2",
    )
    assert others == [first, first]


def test_writer_of_another_organisation_is_a_reviewer_here(member, session):
    user = member(Membership.Role.REVIEWER)
    factories.MembershipFactory(user=user, role=Membership.Role.OWNER)
    assert {row.tone for row in shown_while(session, user)} == {"at-question"}


@pytest.mark.parametrize("role", [Membership.Role.OWNER, Membership.Role.RECRUITER])
def test_writer_sees_what_a_candidate_does_just_now(member, session, role):
    assert [row.tone for row in shown_while(session, member(role))] == ["thinking", "answering", "answered"]


def test_accommodations_change_nothing_that_is_shown(member, session):
    user = member(Membership.Role.REVIEWER)
    before = row_of(user)
    given = Accommodation.objects.create(invitation=session.invitation, is_untimed=True, is_written=True)
    session.invitation.accommodation = given
    session.invitation.save()
    assert row_of(user) == before


def test_pages_end_where_the_rows_end(member, interview):
    for _ in range(5):
        factories.SessionFactory(started=True, invitation__interview=interview, status="practising")
    seen = view.read(member(), Shown(page=9, size=2))
    assert (len(seen.rows), seen.shown.page) == (1, 3)
    assert (seen.counts["here"], seen.counts["page"], seen.counts["pages"]) == (5, 3, 3)


@pytest.mark.parametrize(
    ("parameters", "shown"),
    [
        ({}, Shown()),
        ({"page": "3", "unseen": "1"}, Shown(is_unseen=True, page=3)),
        ({"panel": "1"}, Shown(size=view.PANEL)),
        *(({"page": page}, Shown()) for page in ("0", "-1", "x", "", "٣", "9" * 400)),
        ({"page": "99999"}, Shown(page=view.LAST_PAGE)),
    ],
)
def test_address_names_a_part_of_the_list(parameters, shown):
    assert Shown.of_address(parameters) == shown


def test_page_shows_the_rows_without_javascript(client, member, session):
    member()
    page = client.get(reverse("watching")).content.decode()
    assert "Zoë &lt;b&gt;" in page
    assert "Question 2 of 2" in page
    assert 'data-watching="/ws/watching/?page=1"' in page
