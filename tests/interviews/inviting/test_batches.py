"""Inviting the candidates of a spreadsheet: in steps that can be resumed, and undone."""

from datetime import timedelta

import pytest
from django.utils import timezone

from interviews.actions import attempts, batches, holds, sessions
from interviews.actions.batches import Candidate, Problem
from interviews.actions.errors import BadValue, OnHold, WrongState
from interviews.models import Invitation, InvitationBatch, Message
from tests import factories

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("clean_redis")]


@pytest.fixture
def interview():
    return factories.InterviewFactory(questions=1)


@pytest.fixture
def by():
    return factories.UserFactory()


def check(interview, by, *candidates, problems=(), now=None, days=14):
    now = now or timezone.now()
    return batches.check(
        interview=interview,
        file_name="candidates.csv",
        candidates=candidates,
        problems=problems,
        expires_at=now + timedelta(days=days),
        by=by,
        now=now,
    )


def people(count):
    return [Candidate(n, f"Candidate {n}", f"c{n}@example.org") for n in range(2, count + 2)]


def run(batch):
    batches.run(batch_id=batch.pk, now=timezone.now())
    batch.refresh_from_db()


def test_nobody_is_invited_before_it_is_confirmed(interview, by):
    batch = check(interview, by, *people(3), problems=[Problem(9, "x", "It is bad.")])
    run(batch)
    assert (batch.status, batch.total, batch.done) == ("checked", 3, 0)
    assert batch.problems == [[9, "x", "It is bad."]]
    assert not Invitation.objects.exists()


def test_all_good_rows_are_invited_once(interview, by):
    batch = check(interview, by, *people(3))
    batches.start(batch=batch, by=by, now=timezone.now())
    run(batch)
    run(batch)
    assert (batch.status, batch.done, batch.candidates) == ("done", 3, [])
    rows = Invitation.objects.order_by("candidate_name")
    assert [row.candidate_email for row in rows] == ["c2@example.org", "c3@example.org", "c4@example.org"]
    assert {row.created_by for row in rows} == {by}
    assert len({row.token for row in rows}) == 3


def test_those_with_an_address_get_an_email(interview, by, settings):
    settings.EMAIL_URL = "smtp://localhost"
    batch = check(interview, by, *people(2), Candidate(9, "Bob", ""))
    InvitationBatch.objects.update(is_mailed=True)
    batches.start(batch=batch, by=by, now=timezone.now())
    run(batch)
    messages = Message.objects.order_by("invitation__candidate_email")
    assert [each.invitation.candidate_email for each in messages] == ["c2@example.org", "c3@example.org"]
    assert {each.kind for each in messages} == {"invitation"}


def test_rows_own_last_day_counts(interview, by):
    day = timezone.localdate() + timedelta(days=3)
    batch = check(interview, by, Candidate(2, "Ada", "", day), Candidate(3, "Bob", ""))
    batches.start(batch=batch, by=by, now=timezone.now())
    run(batch)
    ends = {row.candidate_name: timezone.localtime(row.expires_at).date() for row in Invitation.objects.all()}
    assert ends["Ada"] == day
    assert ends["Bob"] > day


def test_it_goes_on_where_a_worker_died(interview, by, monkeypatch):
    monkeypatch.setattr(batches, "AT_ONCE", 2)
    batch = check(interview, by, *people(5))
    batches.start(batch=batch, by=by, now=timezone.now())
    made = batches._invitation

    def dies(batch, row, now):
        if row[0] == 5:
            raise RuntimeError
        return made(batch, row, now)

    monkeypatch.setattr(batches, "_invitation", dies)
    with pytest.raises(RuntimeError):
        run(batch)
    batch.refresh_from_db()
    assert (batch.done, Invitation.objects.count()) == (2, 2)

    monkeypatch.setattr(batches, "_invitation", made)
    batches.sweep(now=timezone.now())
    run(batch)
    assert (batch.status, Invitation.objects.count()) == ("done", 5)
    assert Invitation.objects.values("candidate_email").distinct().count() == 5


def test_address_that_is_invited_is_found(interview, by):
    factories.InvitationFactory(interview=interview, candidate_email="C2@example.org")
    factories.InvitationFactory(interview=interview, candidate_email="c3@example.org", status="revoked")
    batch = check(interview, by, *people(2))
    assert (batch.total, [line for line, *_ in batch.problems]) == (1, [2])


def test_it_is_confirmed_once(interview, by):
    batch = check(interview, by, *people(1))
    batches.start(batch=batch, by=by, now=timezone.now())
    with pytest.raises(WrongState):
        batches.start(batch=batch, by=by, now=timezone.now())


def test_undone_until_the_first_begins(interview, by):
    batch = check(interview, by, *people(2))
    batches.start(batch=batch, by=by, now=timezone.now())
    run(batch)
    assert batches.undo(batch=batch, by=by) == 2
    assert not Invitation.objects.exists()
    with pytest.raises(WrongState):
        batches.undo(batch=batch, by=by)


def test_not_undone_once_somebody_has_begun(interview, by):
    batch = check(interview, by, *people(2))
    batches.start(batch=batch, by=by, now=timezone.now())
    run(batch)
    sessions.start(invitation=Invitation.objects.first(), now=timezone.now())
    with pytest.raises(WrongState, match="has begun"):
        batches.undo(batch=batch, by=by)
    assert Invitation.objects.count() == 2


def test_not_undone_once_an_attempt_was_set_aside(interview, by):
    batch = check(interview, by, *people(1))
    batches.start(batch=batch, by=by, now=timezone.now())
    run(batch)
    invitation = Invitation.objects.get()
    sessions.start(invitation=invitation, now=timezone.now())
    attempts.reset(invitation=Invitation.objects.get(), by=by, now=timezone.now())
    with pytest.raises(WrongState, match="has begun"):
        batches.undo(batch=batch, by=by)
    assert Invitation.objects.count() == 2


@pytest.mark.parametrize("is_of_all", [True, False])
def test_not_undone_during_a_legal_hold(interview, by, is_of_all):
    batch = check(interview, by, *people(2))
    batches.start(batch=batch, by=by, now=timezone.now())
    run(batch)
    place_hold(interview, None if is_of_all else Invitation.objects.first(), by)
    with pytest.raises(OnHold):
        batches.undo(batch=batch, by=by)
    assert Invitation.objects.count() == 2


def test_undone_once_a_legal_hold_has_ended(interview, by):
    batch = check(interview, by, *people(2))
    batches.start(batch=batch, by=by, now=timezone.now())
    run(batch)
    hold = place_hold(interview, Invitation.objects.first(), by)
    holds.end(hold=hold, by=by, now=timezone.now())
    assert batches.undo(batch=batch, by=by) == 2
    assert not Invitation.objects.exists()


def place_hold(interview, invitation, by):
    return holds.place(
        interview=interview, invitation=invitation, reason="File 12/2026", by=by, now=timezone.now()
    )


def test_after_the_deadline_nobody_is_invited(interview, by):
    batch = check(interview, by, *people(1))
    factories.change(interview, deadline=timezone.now() - timedelta(seconds=1))
    with pytest.raises(WrongState, match="deadline"):
        batches.start(batch=batch, by=by, now=timezone.now())
    with pytest.raises(BadValue, match="deadline"):
        check(interview, by, *people(1))


def test_undo_while_it_runs_stops_it(interview, by):
    batch = check(interview, by, *people(2))
    batches.start(batch=batch, by=by, now=timezone.now())
    batches.undo(batch=batch, by=by)
    run(batch)
    assert not Invitation.objects.exists()


@pytest.mark.parametrize("status", ["draft", "archived"])
def test_only_published_interviews_take_candidates(interview, by, status):
    interview.status = status
    with pytest.raises(BadValue, match="interview"):
        check(interview, by, *people(1))


def test_links_must_not_be_over(interview, by):
    with pytest.raises(BadValue, match="expires_at"):
        check(interview, by, *people(1), days=-1)


def test_names_are_forgotten_after_a_week(interview, by):
    now = timezone.now()
    check(interview, by, *people(1), now=now)
    done = check(interview, by, *people(1), problems=[Problem(3, "Bob", "Why.")], now=now)
    batches.start(batch=done, by=by, now=timezone.now())
    run(done)

    batches.sweep(now=now + timedelta(days=8))

    assert InvitationBatch.objects.get() == done
    assert InvitationBatch.objects.get().problems == []
