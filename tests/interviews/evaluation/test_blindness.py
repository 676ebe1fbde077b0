"""No reviewer learns others' judgement before the own score, by any address, column, filter or order."""

from itertools import product

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.models import Membership
from interviews.actions import decisions, notes, scorecards
from interviews.models import Session, Submission
from interviews.queries import blindness
from tests import factories
from tests.access import addresses, organisation

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("clean_redis")]

Role = Membership.Role
SECRET = "wombat"
"""Stands in everything that another reviewer has judged."""


def test_rule_by_itself():
    def visible(**facts):
        nothing = {"has_rubric": True, "has_seen": False, "is_writer": False, "is_assigned": False}
        return tuple(blindness.visible(**(nothing | facts)))

    assert visible() == (False, False)
    assert visible(is_assigned=True) == (False, False)
    assert visible(has_seen=True) == (True, True)
    assert visible(is_writer=True) == (False, True)
    assert visible(is_writer=True, is_assigned=True) == (False, False)
    assert visible(has_rubric=False) == (True, True)


@pytest.mark.parametrize("facts", list(product([False, True], repeat=4)), ids=str)
def test_lists_follow_the_same_rule(facts, ours, interview, reviewer, assigned):
    has_rubric, has_seen, is_writer, is_assigned = facts
    if not has_rubric:
        interview.criteria.all().delete()
        factories.publish(interview)
    session = factories.SessionFactory(invitation__interview=interview, finished=True)
    person = reviewer("paula", Role.RECRUITER if is_writer else Role.REVIEWER)
    if has_seen:
        session.scorecards.create(reviewer=person, others_seen_at=timezone.now())
    if is_assigned:
        assigned(session, person)

    card = session.scorecards.first()
    of_one = blindness.of(session, person, card=card).judgement
    of_list = blindness.with_decision(Session.objects.all(), person).get().shown_outcome

    assert of_one == (of_list != blindness.HIDDEN)
    assert (
        of_one
        == blindness.visible(
            has_rubric=has_rubric, has_seen=has_seen, is_writer=is_writer, is_assigned=is_assigned
        ).judgement
    )


@pytest.fixture
def rows():
    """Another reviewer of the organisation has scored and written, and an owner has decided."""
    rows = organisation.make()
    session = Session.objects.get(pk=rows.session.pk)
    now = timezone.now()
    Session.objects.update(status="finished", finished_at=now)
    session.refresh_from_db()
    other = rows.user
    given = {str(each.id): (2, f"a {SECRET} said so") for each in session.definition.criteria}
    scorecards.submit(session=session, scores=given, by=other, now=now)
    reason = f"like a {SECRET}"
    current = session.decisions.get(is_current=True).pk
    decisions.decide(session=session, outcome="reject", reason=reason, after=current, by=other, now=now)
    notes.write(session=session, text=f"what a {SECRET}", is_shared=True, by=other, now=now)
    notes.write(session=session, text=f"private {SECRET}", is_shared=False, by=other, now=now)
    return rows


NAMES_EACH_DECISION = {"/admin/analytics/", "/admin/analytics/figures.csv", "/admin/analytics/figures.xlsx"}
"""A row for each decision, whether a candidate has it or not: tests of the figures look at the numbers."""


def signed_in(rows, role):
    person = factories.MembershipFactory(organisation=rows.organisation, role=role).user
    client = Client()
    client.force_login(person)
    client.person = person
    return client


def pages_that_tell(client, rows):
    """The addresses at which the secret is found, with each way to ask."""
    return {
        address.template
        for address in addresses.read_by_staff(rows)
        for headers in ({}, {"HX-Request": "true"})
        if not headers or "scorecard" in address.template
        if SECRET.encode() in (content := addresses.body(client.get(address.path, headers=headers)))
        or b"Reject" in content
    }


def test_blind_reviewer_finds_nothing_at_any_address(rows, assigned):
    client = signed_in(rows, Role.REVIEWER)
    assigned(rows.session, client.person)
    assert pages_that_tell(client, rows) - NAMES_EACH_DECISION == set()


def test_blind_owner_finds_nothing_either(rows, assigned):
    client = signed_in(rows, Role.OWNER)
    assigned(rows.session, client.person)
    named = NAMES_EACH_DECISION | {"/admin/interviews/session/"}  # the filter offers "Reject"
    assert pages_that_tell(client, rows) <= named


def test_log_of_mails_does_not_tell_a_hidden_decision(client, member, session, assigned):
    owner = member(Role.OWNER)
    for kind in ("rejection", "invitation"):
        session.invitation.messages.create(kind=kind)
    address = reverse("admin:interviews_message_changelist")
    assert {row.kind for row in client.get(address).context["cl"].queryset} == {"rejection", "invitation"}

    assigned(session, owner)

    assert {row.kind for row in client.get(address).context["cl"].queryset} == {"invitation"}


def scorecard(session):
    return reverse("admin:interviews_session_scorecard", args=[session.pk])


def submitted(client, session):
    """Submit the user's score; return whether it counts as blind."""
    levels = {f"level-{each.id}": 1 for each in session.definition.criteria}
    client.post(scorecard(session), levels)
    return Submission.objects.filter(scorecard__reviewer=client.person).latest("submitted_at").is_blind


@pytest.mark.parametrize("page", ["interviews_session_change", "interviews_session_scorecard"])
def test_score_after_reading_the_decision_is_not_blind(rows, page):
    client = signed_in(rows, Role.RECRUITER)
    assert SECRET in client.get(reverse(f"admin:{page}", args=[rows.session.pk])).content.decode()
    assert not submitted(client, rows.session)


def test_score_after_the_own_assignment_was_away_is_not_blind(rows, assigned):
    client = signed_in(rows, Role.RECRUITER)
    assigned(rows.session, client.person)
    own = rows.session.assignments.get(reviewer=client.person)
    end = reverse("admin:interviews_session_assignments_end", args=[rows.session.pk, own.pk])
    assert SECRET in client.post(end, headers={"HX-Request": "true"}).content.decode()
    assigned(rows.session, client.person)
    assert not submitted(client, rows.session)


def test_score_after_the_list_showed_the_decision_is_not_blind(rows, assigned):
    client = signed_in(rows, Role.RECRUITER)
    for _ in range(2):
        client.get(reverse("admin:interviews_session_changelist"))
    assigned(rows.session, client.person)
    assert not submitted(client, rows.session)


def test_list_that_hides_the_decision_leaves_a_score_blind(rows, assigned):
    client = signed_in(rows, Role.RECRUITER)
    assigned(rows.session, client.person)
    client.get(reverse("admin:interviews_session_changelist"))
    assert submitted(client, rows.session)


def test_score_without_reading_is_blind(rows, assigned):
    client = signed_in(rows, Role.RECRUITER)
    assigned(rows.session, client.person)
    assert SECRET not in client.get(scorecard(rows.session)).content.decode()
    assert submitted(client, rows.session)


def test_own_decision_and_notes_do_not_sway(client, member, session):
    client.person = member(Role.RECRUITER)
    now = timezone.now()
    decisions.decide(session=session, outcome="hold", reason="so", after=None, by=client.person, now=now)
    notes.write(session=session, text="so", is_shared=True, by=client.person, now=now)
    client.get(scorecard(session))
    assert submitted(client, session)


def test_reviewer_who_has_scored_finds_it(rows):
    client = signed_in(rows, Role.REVIEWER)
    session = Session.objects.get(pk=rows.session.pk)
    given = {str(each.id): (1, "") for each in session.definition.criteria}
    scorecards.submit(session=session, scores=given, by=client.person, now=timezone.now())

    page = client.get(reverse("admin:interviews_session_scorecard", args=[session.pk])).content.decode()

    assert page.count(SECRET) == 3, "score, reason and shared note; not the private one"
    assert f"private {SECRET}" not in page


def test_key_of_a_program_finds_no_judgement(rows):
    key = factories.ApiKeyFactory(organisation=rows.organisation).plain
    client = Client(headers={"authorization": f"Bearer {key}"})
    assert pages_that_tell(client, rows) == set()


@pytest.fixture
def listed(ours, make_session, reviewer):
    """Three sessions, decided in three ways."""
    owner = reviewer("olga", Role.OWNER)
    sessions = [make_session() for _ in range(3)]
    for session, outcome in zip(sessions, ("advance", "hold", "reject"), strict=True):
        decisions.decide(
            session=session, outcome=outcome, reason="so", after=None, by=owner, now=timezone.now()
        )
    return sessions


def ask(client, **parameters):
    response = client.get(reverse("admin:interviews_session_changelist"), parameters)
    return [row.pk for row in response.context["cl"].queryset]


def test_list_cannot_be_filtered_or_sorted_by_what_is_hidden(client, member, listed):
    member(Role.REVIEWER)
    for outcome in ("advance", "hold", "reject", "undecided"):
        assert ask(client, decision=outcome) == []
    assert len(ask(client, decision="hidden")) == 3
    assert ordered(client, "") == ordered(client, "-"), "all are the same"


def ordered(client, sign):
    columns = client.get(reverse("admin:interviews_session_changelist")).context["cl"].list_display
    return ask(client, o=f"{sign}{columns.index('decision')}")


def test_list_shows_decisions_to_recruiters(client, member, listed):
    member(Role.RECRUITER)
    assert ask(client, decision="reject") == [listed[2].pk]
    assert ordered(client, "") == ordered(client, "-")[::-1] == [session.pk for session in listed]
    page = client.get(reverse("admin:interviews_session_changelist")).content.decode()
    assert "hold" in page


@pytest.mark.parametrize(
    "lookup", ["decisions__outcome", "scorecards__draft__1__0", "shown_outcome", "decision__exact"]
)
def test_address_names_no_judgement(client, member, listed, lookup):
    member(Role.REVIEWER)
    response = client.get(reverse("admin:interviews_session_changelist"), {lookup: "reject"})
    assert response.status_code in (302, 400)


def test_search_does_not_look_into_judgement(client, member, listed):
    member(Role.REVIEWER)
    assert ask(client, q="reject") == []
