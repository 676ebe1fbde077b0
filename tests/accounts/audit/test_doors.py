"""What entries say, and when they are written."""

import json

import pytest
from django.db import DatabaseError, connection
from django.http import QueryDict
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from accounts.audit import filters, visits
from accounts.audit.models import AuditEntry
from accounts.models import ApiKey, Membership
from interviews.actions import erasure
from interviews.models import Invitation
from interviews.queries.moments import moment_url
from tests import factories

Role = Membership.Role
pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("clean_redis")]


@pytest.fixture
def session(ours):
    session = factories.SessionFactory(finished=True, invitation__interview__organisation=ours)
    factories.AnswerFactory(session=session, position=1, accepted=True)
    return session


def newest(**wanted):
    return AuditEntry.objects.filter(**wanted).first()


def facts(entry):
    return entry.kind, entry.outcome, entry.actor, entry.organisation_id, entry.candidates


def key_client(organisation, *scopes):
    key = factories.ApiKeyFactory(organisation=organisation, scopes=list(scopes))
    return key, Client(headers={"Authorization": f"Bearer {key.plain}"})


def test_page_of_a_candidate_says_who_and_whom(client, member, ours, session):
    user = member(Role.REVIEWER)
    client.get(moment_url(session.pk), REMOTE_ADDR="203.0.113.9")
    entry = newest(door="interviews_session_change")
    assert facts(entry) == ("read", "allowed", "person", ours.pk, [session.invitation_id])
    assert (entry.person_id, entry.address, entry.row) == (user.pk, "203.0.113.9", str(session.pk))


def test_attempt_that_was_set_aside_is_the_candidate(client, member, session):
    member(Role.OWNER)
    earlier = factories.SessionFactory(
        finished=True,
        invitation__interview=session.invitation.interview,
        invitation__set_aside_of=session.invitation,
    )
    client.get(moment_url(earlier.pk))
    assert newest(door="interviews_session_change").candidates == [session.invitation_id]


def test_list_is_one_entry_with_its_filter_and_without_words(client, member, ours, session):
    member(Role.OWNER)
    before = AuditEntry.objects.count()
    client.get(
        reverse("admin:interviews_session_changelist"), {"q": "Ada Lovelace", "status__exact": "finished"}
    )
    assert AuditEntry.objects.count() == before + 1
    entry = newest()
    assert facts(entry) == ("listed", "allowed", "person", ours.pk, [])
    assert entry.filter == {"q": ["…"], "status__exact": ["finished"]}


FILTERS = [
    ("", None),
    ("q=Ada", {"q": ["…"]}),
    ("status__exact=finished&days=30", {"status__exact": ["finished"], "days": ["30"]}),
    ("since=2026-01-31", {"since": ["2026-01-31"]}),
    ("status__exact=Ada+Lovelace", {"status__exact": ["…"]}),
    ("Ada=1", None),
    ("before=6f1c0000-0000-4000-8000-000000000000", {"before": ["…"]}),
    ("session=6f1c0000-0000-4000-8000-000000000000", {"session": ["…"]}),
    (
        "interview__id__exact=6f1c0000-0000-4000-8000-000000000000",
        {"interview__id__exact": ["6f1c0000-0000-4000-8000-000000000000"]},
    ),
]


@pytest.mark.parametrize(("address", "kept"), FILTERS)
def test_filter_keeps_nothing_that_was_typed(address, kept):
    assert filters.without_words(QueryDict(address)) == kept


def test_candidate_of_another_organisation_is_a_refused_attempt_there(client, member, theirs):
    user = member(Role.OWNER)
    foreign = factories.SessionFactory(finished=True, invitation__interview__organisation=theirs)
    client.get(moment_url(foreign.pk))
    entry = newest(door="interviews_session_change")
    assert facts(entry) == ("read", "refused", "person", theirs.pk, [foreign.invitation_id])
    assert entry.person_id == user.pk


def test_recording_is_named_by_the_address_that_is_issued_and_by_its_playing(client, member, ours, session):
    user = member(Role.REVIEWER)
    answer = session.answers.get()
    address = reverse("admin:interviews_session_recording", args=[session.pk, answer.pk])
    issued = client.get(address)["Location"]
    assert facts(newest()) == ("address", "allowed", "person", ours.pk, [session.invitation_id])
    assert newest().person_id == user.pk

    Client().get(issued)
    Client().get(issued, headers={"Range": "bytes=5000-"})

    heard = AuditEntry.objects.filter(kind="heard")
    assert [facts(entry) for entry in heard] == [
        ("heard", "allowed", "address", ours.pk, [session.invitation_id])
    ]


def test_programs_are_named_by_their_key(ours, session):
    key, client = key_client(ours, ApiKey.Scope.RESULTS_READ)
    client.get(f"/api/v1/sessions/{session.pk}")
    client.get(f"/api/v1/sessions/{session.pk}/export")
    client.get(f"/api/v1/answers/{session.answers.get().pk}/recording")
    client.get("/api/v1/erasures")

    entries = AuditEntry.objects.order_by("pk")
    assert {entry.key_id for entry in entries} == {key.pk}
    assert [(entry.kind, entry.door, entry.outcome) for entry in entries] == [
        ("read", "read_session", "allowed"),
        ("exported", "export_session", "allowed"),
        ("address", "read_recording", "allowed"),
        ("listed", "list_erasures", "refused"),
    ]


def test_candidate_is_read_with_all_invitations_and_named_where_that_is_refused(ours, theirs):
    address = "ada@example.com"
    one, other = (
        factories.InvitationFactory(interview__organisation=ours, candidate_email=address) for _ in range(2)
    )
    for organisation in (ours, theirs):
        _key, client = key_client(organisation, ApiKey.Scope.RESULTS_READ)
        client.get(f"/api/v1/candidates/{one.pk}")

    read, tried = AuditEntry.objects.filter(door="read_candidate").order_by("pk")
    assert (read.kind, read.outcome, set(read.candidates)) == ("read", "allowed", {one.pk, other.pk})
    assert facts(tried) == ("read", "refused", "key", ours.pk, [one.pk])


def test_unknown_key_is_a_refused_attempt_of_the_platform(session):
    Client(headers={"Authorization": "Bearer ipk_wrong"}).get("/api/v1/erasures")
    assert facts(newest()) == ("listed", "refused", "unknown", None, [])
    Client().get("/api/v1/erasures")
    assert AuditEntry.objects.count() == 1


def test_chosen_candidates_of_a_list_are_named(client, member, ours, theirs, session):
    member(Role.OWNER)
    others = factories.SessionFactory(finished=True, invitation__interview=session.invitation.interview)
    foreign = factories.SessionFactory(finished=True, invitation__interview__organisation=theirs)
    chosen = [session.pk, others.pk, foreign.pk]
    address = reverse("admin:interviews_session_changelist")
    response = client.post(
        address, {"action": "export_csv", "_selected_action": [str(key) for key in chosen]}
    )
    b"".join(response.streaming_content)
    entry = newest(door="interviews_session_changelist export_csv")
    assert entry.kind == "exported"
    assert set(entry.candidates) == {session.invitation_id, others.invitation_id}


def test_change_names_its_candidate(client, member, ours):
    member(Role.OWNER)
    invitation = factories.InvitationFactory(interview__organisation=ours)
    address = reverse("admin:interviews_invitation_changelist")
    client.post(address, {"action": "revoke_selected", "_selected_action": [str(invitation.pk)]})
    invitation.refresh_from_db()
    assert invitation.status == Invitation.Status.REVOKED
    entry = newest(door="interviews_invitation_changelist revoke_selected")
    assert facts(entry) == ("changed", "allowed", "person", ours.pk, [invitation.pk])


def test_chosen_candidates_are_read_as_the_list_reads_them(client, member, ours):
    member(Role.OWNER)
    chosen, _other = factories.InvitationFactory.create_batch(2, interview__organisation=ours)
    form = {"action": ["revoke_selected", ""], "index": "0", "_selected_action": [str(chosen.pk)]}
    address = reverse("admin:interviews_invitation_changelist")

    client.post(address, {**form, "select_across": "false"})

    assert newest(door="interviews_invitation_changelist revoke_selected").candidates == [chosen.pk]


@pytest.mark.parametrize("chosen", ["these", "all"])
def test_change_that_leaves_the_filter_of_the_list_names_its_candidate(client, member, ours, chosen):
    member(Role.OWNER)
    invitation = factories.InvitationFactory(interview__organisation=ours)
    sent = {"action": "revoke_selected", "_selected_action": [str(invitation.pk)]}
    address = reverse("admin:interviews_invitation_changelist", query={"status__exact": "pending"})
    client.post(address, sent | ({"select_across": "1"} if chosen == "all" else {}))
    invitation.refresh_from_db()
    assert invitation.status == Invitation.Status.REVOKED
    entry = newest(door="interviews_invitation_changelist revoke_selected")
    assert facts(entry) == ("changed", "allowed", "person", ours.pk, [invitation.pk])


@pytest.mark.parametrize("page", ["assign", "again"])
def test_page_about_several_candidates_names_those_that_it_shows(client, member, ours, theirs, session, page):
    member(Role.OWNER)
    foreign = factories.SessionFactory(finished=True, invitation__interview__organisation=theirs)
    address = reverse(f"admin:interviews_session_{page}")
    client.get(address, {"session": [session.pk, foreign.pk]})
    client.post(address, {"session": [session.pk, foreign.pk]})
    entries = AuditEntry.objects.filter(door=f"interviews_session_{page}").order_by("pk")
    assert [facts(entry) for entry in entries] == [
        ("read", "allowed", "person", ours.pk, [session.invitation_id]),
        ("changed", "allowed", "person", ours.pk, [session.invitation_id]),
    ]


def test_erasure_is_named_though_the_candidate_is_gone(client, member, ours, session):
    member(Role.OWNER)
    client.post(reverse("admin:interviews_erasure_confirm", args=[session.invitation_id]))
    assert not Invitation.objects.filter(pk=session.invitation_id).exists()
    entry = newest(kind="erased")
    assert facts(entry) == ("erased", "allowed", "person", ours.pk, [session.invitation_id])


def test_clock_erases_in_the_name_of_the_platform(ours, session):
    erasure.erase_candidate(invitation=session.invitation, by="retention", now=timezone.now())
    assert facts(newest()) == ("erased", "allowed", "platform", ours.pk, [session.invitation_id])


def test_candidate_is_named_by_the_own_link(client, ours, session):
    client.get(reverse("interviews:data", args=[session.invitation.token]))
    assert facts(newest()) == ("read", "allowed", "candidate", ours.pk, [session.invitation_id])
    client.post(reverse("interviews:data", args=[session.invitation.token]), {"confirmed": "yes"})
    assert facts(newest()) == ("erased", "allowed", "candidate", ours.pk, [session.invitation_id])


@pytest.fixture
def no_entries(monkeypatch):
    def fail(*args, **kwargs):
        raise DatabaseError("the audit cannot be written")

    monkeypatch.setattr("accounts.audit.visits.record_about", fail)
    monkeypatch.setattr("accounts.audit.visits.record", fail)


def test_read_that_cannot_be_noted_is_refused(client, member, session, no_entries):
    member(Role.OWNER)
    response = client.get(moment_url(session.pk))
    assert (response.status_code, response["Retry-After"]) == (503, "5")
    assert session.invitation.candidate_name not in response.content.decode()


def test_change_that_cannot_be_noted_is_not_made(client, member, ours, no_entries):
    member(Role.OWNER)
    invitation = factories.InvitationFactory(interview__organisation=ours)
    address = reverse("admin:interviews_invitation_changelist")
    response = client.post(address, {"action": "revoke_selected", "_selected_action": [str(invitation.pk)]})
    invitation.refresh_from_db()
    assert (response.status_code, invitation.status) == (503, Invitation.Status.PENDING)


def test_entry_of_a_program_is_written_with_the_change(ours, monkeypatch):
    _key, client = key_client(ours, ApiKey.Scope.INVITATIONS_WRITE)
    invitation = factories.InvitationFactory(interview__organisation=ours)
    seen = []
    record = visits.record_about

    def watch(*args):
        seen.append(connection.in_atomic_block and Invitation.objects.get(pk=invitation.pk).status)
        return record(*args)

    monkeypatch.setattr("accounts.audit.visits.record_about", watch)
    client.post(f"/api/v1/invitations/{invitation.pk}/revoke")
    assert seen == ["revoked"]


def test_an_entry_costs_a_page_one_statement(client, member, session, monkeypatch):
    member(Role.OWNER)
    address = moment_url(session.pk)
    client.get(address)
    with monkeypatch.context() as patch:
        patch.setattr("accounts.audit.visits.Visit._write", lambda visit, response: None)
        with CaptureQueriesContext(connection) as without:
            client.get(address)
    with CaptureQueriesContext(connection) as with_entry:
        client.get(address)
    assert len(with_entry) == len(without) + 1


def test_signing_in_and_out_is_noted_in_each_organisation(client, ours, theirs):
    user = factories.UserFactory(username="ada", is_staff=True)
    user.set_password("a long enough password")
    user.save()
    for organisation in (ours, theirs):
        factories.MembershipFactory(user=user, organisation=organisation)
    assert not client.login(username="ada", password="wrong")
    assert client.login(username="ada", password="a long enough password")
    client.logout()

    entries = AuditEntry.objects.filter(organisation_id=theirs.pk).order_by("pk")
    assert [(entry.kind, entry.outcome, entry.actor, entry.person_id) for entry in entries] == [
        ("signed_in", "refused", "unknown", user.pk),
        ("signed_in", "allowed", "person", user.pk),
        ("signed_out", "allowed", "person", user.pk),
    ]
    assert AuditEntry.objects.filter(organisation_id=ours.pk).count() == 3


def test_name_that_nobody_has_is_not_kept(client):
    client.login(username="my password by mistake", password="wrong")
    entry = newest()
    assert facts(entry) == ("signed_in", "refused", "unknown", None, [])
    row = AuditEntry.objects.filter(pk=entry.pk).values().get()
    assert "mistake" not in json.dumps(row, default=str)
