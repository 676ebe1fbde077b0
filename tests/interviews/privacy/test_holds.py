"""While a legal hold lasts nothing of a candidate is erased, whoever asks; afterwards everything is."""

from datetime import timedelta

import pytest
from django.contrib.admin.models import LogEntry
from django.urls import reverse
from django.utils import timezone

from accounts.models import Membership
from interviews import jobs
from interviews.actions import erasure, holds, invitations
from interviews.actions.errors import BadValue, OnHold, WrongState
from interviews.models import Erasure, Invitation, LegalHold
from interviews.queries import retention
from tests import factories
from tests.interviews.privacy.conftest import NAME
from tests.interviews.privacy.test_retention import finished
from tests.staff import member, ours, theirs  # noqa: F401

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("clean_redis")]
Role = Membership.Role
WHY = "File 12/2026"


@pytest.fixture
def interview(ours):  # noqa: F811
    return factories.InterviewFactory(organisation=ours, questions=3)


@pytest.fixture
def invitation(candidate) -> Invitation:
    return candidate.session.invitation


@pytest.fixture(params=["candidate", "interview"])
def hold(request, invitation) -> LegalHold:
    """A hold on the candidate, and one on everyone of the interview."""
    of = invitation if request.param == "candidate" else None
    return place(invitation.interview, of)


def place(interview, invitation=None) -> LegalHold:
    user = factories.MembershipFactory(organisation=interview.organisation).user
    return holds.place(interview=interview, invitation=invitation, reason=WHY, by=user, now=timezone.now())


def test_nobody_erases_during_a_hold_and_afterwards_it_is_done(client, invitation, hold):
    key = factories.ApiKeyFactory(organisation=invitation.interview.organisation)
    address = f"/api/v1/invitations/{invitation.pk}/candidate"
    bearer = {"Authorization": f"Bearer {key.plain}"}

    refused = client.delete(address, headers=bearer)
    with pytest.raises(OnHold):
        erasure.erase_candidate(invitation=invitation, by=hold.placed_by, now=timezone.now())
    own = client.post(reverse("interviews:data", args=[invitation.token]), {"confirmed": "yes"}, follow=True)
    jobs.erase_overdue()

    assert (refused.status_code, refused.json()["code"]) == (409, "on_hold")
    assert "because of a legal dispute" in own.content.decode()
    assert "You asked on" in own.content.decode()
    assert WHY not in own.content.decode()
    assert Invitation.objects.get().erasure_requested_at is not None
    assert client.get("/api/v1/legal-holds", headers=bearer).json()["items"][0]["reason"] == WHY

    page = reverse("interviews:data", args=[invitation.token])
    assert 'data-testid="erase"' not in client.get(page).content.decode()
    holds.end(hold=hold, by=hold.placed_by, now=timezone.now())
    assert 'data-testid="erase"' in client.get(page).content.decode()
    jobs.erase_overdue()  # of an interview under way: its candidate's wish ends it
    assert not Invitation.objects.exists()
    assert Erasure.objects.get().source == Erasure.Source.CANDIDATE


def test_clock_waits_for_the_end_of_a_hold(interview):
    factories.change(interview, retention_days=30)
    held, other = finished(interview, days_ago=31), finished(interview, days_ago=31)
    hold = place(interview, held)

    assert erasure.erase_overdue(now=timezone.now()) == 1
    assert list(Invitation.objects.all()) == [held]
    assert not Invitation.objects.filter(pk=other.pk).exists()
    holds.end(hold=hold, by=hold.placed_by, now=timezone.now())
    assert erasure.erase_overdue(now=timezone.now()) == 1


def test_attempt_that_was_set_aside_is_held_with_its_candidate(interview):
    factories.change(interview, retention_days=30)
    earlier, last = finished(interview, days_ago=31), finished(interview, days_ago=1)
    Invitation.objects.filter(pk=earlier.pk).update(set_aside_of=last)
    place(interview, last)

    assert erasure.erase_overdue(now=timezone.now()) == 0
    earlier.refresh_from_db()
    assert retention.held_since(earlier) is not None


def test_hold_goes_with_its_candidate_and_a_restored_one_keeps_nobody(interview):
    invitation = finished(interview, days_ago=1)
    place(interview, invitation)

    erasure.erase_candidate(invitation=invitation, by="test", now=timezone.now(), is_repeated=True)
    assert not LegalHold.objects.exists()


def test_hold_needs_a_reason_and_there_is_one_at_a_time(interview, django_assert_num_queries):
    invitation = finished(interview, days_ago=1)
    user = factories.UserFactory()
    for reason in ("", " ", "x" * 501):
        with pytest.raises(BadValue):
            holds.place(interview=interview, reason=reason, by=user, now=timezone.now())
    for of in (None, invitation):
        hold = place(interview, of)
        with pytest.raises(WrongState):
            place(interview, of)
    holds.end(hold=hold, by=user, now=timezone.now())
    with pytest.raises(WrongState):
        holds.end(hold=hold, by=user, now=timezone.now())
    assert place(interview, invitation).pk != hold.pk
    erasure.erase_candidate(invitation=invitation, by="test", now=timezone.now(), is_repeated=True)
    with pytest.raises(WrongState):
        place(interview, invitation)


@pytest.mark.parametrize("kind", ["invitation", "interview"])
def test_recruiter_places_and_only_an_owner_ends(client, member, invitation, kind):  # noqa: F811
    recruiter = member(Role.RECRUITER)
    row = invitation if kind == "invitation" else invitation.interview
    page = reverse(f"admin:interviews_{kind}_change", args=[row.pk])
    client.post(
        reverse(f"admin:interviews_{kind}_hold", args=[row.pk]), {"_form_submitted": "on", "reason": WHY}
    )
    hold = LegalHold.objects.get()
    assert (hold.placed_by, hold.invitation) == (recruiter, invitation if kind == "invitation" else None)
    assert WHY in client.get(page).content.decode()
    confirm = reverse("admin:interviews_erasure_confirm", args=[invitation.pk])
    assert 'data-testid="erase"' not in client.get(confirm).content.decode()
    client.post(confirm)
    assert Invitation.objects.exists()

    shown = client.get(reverse("admin:interviews_legalhold_change", args=[hold.pk]))
    assert NAME in shown.content.decode() or kind == "interview"
    end = reverse("admin:interviews_legalhold_end", args=[hold.pk])
    assert client.post(end).status_code == 403
    member(Role.OWNER)
    client.post(end, {"_form_submitted": "on"})
    hold.refresh_from_db()
    assert hold.ended_at is not None
    logged = LogEntry.objects.filter(change_message__contains="legal hold").values_list(
        "object_id", flat=True
    )
    assert sorted(logged) == sorted([str(hold.pk), str(row.pk)] * 2)


def test_reviewer_sees_that_it_is_held_and_not_why(client, member, invitation):  # noqa: F811
    place(invitation.interview, invitation)
    member(Role.REVIEWER)
    for name, pk in (("invitation", invitation.pk), ("session", invitation.session.pk)):
        page = client.get(reverse(f"admin:interviews_{name}_change", args=[pk])).content.decode()
        assert "Nothing is erased, since" in page
        assert WHY not in page
    assert client.get(reverse("admin:interviews_legalhold_changelist")).status_code == 403


def test_list_finds_who_is_held_and_who_asked(client, member, invitation):  # noqa: F811
    place(invitation.interview, invitation)
    erasure.ask(invitation=invitation, now=timezone.now())
    member(Role.OWNER)
    address = reverse("admin:interviews_invitation_changelist")
    for which, count in (("held", 1), ("asked", 1), ("soon", 0)):
        assert client.get(f"{address}?erased={which}").context["cl"].result_count == count


def test_revoked_link_of_a_held_candidate_stays_closed(client, invitation):
    place(invitation.interview, invitation)
    invitations.revoke(invitation=invitation, by="test", now=timezone.now())
    assert client.get(reverse("interviews:data", args=[invitation.token])).status_code == 410
    assert retention.erased_on(invitation) is None
    assert timezone.now() - LegalHold.objects.get().placed_at < timedelta(minutes=5)
