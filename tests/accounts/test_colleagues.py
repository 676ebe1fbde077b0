"""Colleagues: invited with a link that ends, and members once they have used it."""

import re
import smtplib
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from django.contrib.admin.models import LogEntry
from django.core import mail
from django.db import connections
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts import colleagues, joining
from accounts.models import ColleagueInvitation, Membership, User
from interview_platform.backends.logs import without_secrets
from tests import factories

pytestmark = pytest.mark.django_db

Role = Membership.Role
ADDRESS = "ada@example.com"
ACCOUNT = {"first_name": "Ada", "last_name": "Lovelace"} | dict.fromkeys(
    ("password1", "password2"), factories.PASSWORD
)


@pytest.fixture(autouse=True)
def server(settings):
    settings.EMAIL_URL = "smtp://mail.example.com"
    settings.BASE_URL = "https://interviews.example.org"


@pytest.fixture
def owner(ours):
    return factories.MembershipFactory(organisation=ours, role=Role.OWNER).user


@pytest.fixture
def invite(ours, owner):
    def make(email=ADDRESS, role=Role.REVIEWER, now=None):
        return colleagues.invite(
            organisation=ours, email=email, role=role, by=owner, now=now or timezone.now()
        )

    return make


def path_of(row) -> str:
    return row.plain.removeprefix("https://interviews.example.org")


def roles_of(user) -> dict:
    return dict(user.memberships.values_list("organisation_id", "role"))


def add(client, **fields):
    return client.post(reverse("admin:accounts_colleagueinvitation_add"), fields)


def test_owner_invites_and_the_colleague_joins(client, member, ours, django_capture_on_commit_callbacks):
    member(Role.OWNER)
    with django_capture_on_commit_callbacks(execute=True):
        add(client, organisation=ours.pk, email="Ada@Example.com", role=Role.RECRUITER)
    [sent] = mail.outbox
    assert sent.to == [ADDRESS]
    client.logout()
    link = re.search(r"https://interviews.example.org(/join/\S+)", sent.body)[1]
    assert "Ours" in client.get(link).content.decode()

    assert client.post(link, ACCOUNT)["Location"] == reverse("admin:index")

    user = User.objects.get(username=ADDRESS)
    assert (user.email, user.get_full_name(), user.is_staff, user.is_superuser) == (
        *(ADDRESS, "Ada Lovelace"),
        *(True, False),
    )
    assert roles_of(user) == {ours.pk: Role.RECRUITER}
    assert client.get(reverse("admin:index")).status_code == 200


def test_link_works_once(client, invite):
    link = path_of(invite())
    client.post(link, ACCOUNT)
    client.logout()
    assert client.get(link).status_code == client.post(link, ACCOUNT).status_code == 404
    assert User.objects.filter(username=ADDRESS).count() == 1


def test_whoever_has_an_account_signs_in_first(client, invite, ours):
    user = factories.UserFactory(email=ADDRESS.upper())
    link = path_of(invite())
    page = client.get(link).content.decode()
    assert f"{reverse('admin:login')}?next=" in page
    assert 'type="password"' not in page
    client.post(link, ACCOUNT)
    assert User.objects.filter(email__iexact=ADDRESS).count() == 1

    client.force_login(user)
    client.post(link)
    assert roles_of(user) == {ours.pk: Role.REVIEWER}


def test_member_who_accepts_keeps_the_role(client, invite, owner, ours):
    client.force_login(owner)
    client.post(path_of(invite()))
    assert roles_of(owner) == {ours.pk: Role.OWNER}


@pytest.mark.parametrize("password", ["short", "12345678901234"])
def test_weak_password_makes_no_account(client, invite, password):
    link = path_of(invite())
    page = client.post(link, ACCOUNT | dict.fromkeys(("password1", "password2"), password))
    assert 'role="alert"' in page.content.decode()
    assert not User.objects.filter(username=ADDRESS).exists()
    assert client.post(link, ACCOUNT).status_code == 302


def test_account_gives_no_rights_beyond_the_role(client, invite, ours):
    client.post(path_of(invite()), ACCOUNT | {"is_superuser": "on", "username": "root", "role": Role.OWNER})
    user = User.objects.get(username=ADDRESS)
    assert (user.is_superuser, roles_of(user)) == (False, {ours.pk: Role.REVIEWER})


def test_link_ends_after_a_week(client, invite):
    late = invite(now=timezone.now() - colleagues.VALID_FOR - timedelta(seconds=1))
    assert client.get(path_of(late)).status_code == 404


def test_revoked_link_is_closed(client, invite, owner):
    row = invite()
    colleagues.revoke(invitation=row, by=owner, now=timezone.now())
    assert client.get(path_of(row)).status_code == 404
    with pytest.raises(colleagues.NotOpen):
        colleagues.resend(invitation=row, by=owner, now=timezone.now())


def test_sending_again_makes_a_new_link_and_closes_the_old_one(
    client, invite, owner, django_capture_on_commit_callbacks
):
    row = invite(now=timezone.now() - colleagues.VALID_FOR)
    with django_capture_on_commit_callbacks(execute=True):
        colleagues.resend(invitation=row, by=owner, now=timezone.now())
    new = re.search(r"(/join/\S+)", mail.outbox[-1].body)[1]
    assert new != path_of(row)
    assert client.get(path_of(row)).status_code == 404
    assert client.get(new).status_code == 200


def test_mail_that_is_not_taken_leaves_the_invitation_unsent(
    invite, monkeypatch, caplog, django_capture_on_commit_callbacks
):
    def refuse(*_):
        raise smtplib.SMTPRecipientsRefused({ADDRESS: (550, b"no such mailbox")})

    monkeypatch.setattr(colleagues, "send_mail", refuse)
    with django_capture_on_commit_callbacks(execute=True):
        invite()
    assert ColleagueInvitation.objects.get().sent_at is None
    assert ADDRESS not in caplog.text


def test_without_a_mail_server_the_link_is_shown_once(client, member, ours, settings):
    settings.EMAIL_URL = ""
    member(Role.OWNER)
    page = add(client, organisation=ours.pk, email=ADDRESS, role=Role.REVIEWER).content.decode()
    link = re.search(r"https://interviews.example.org/join/[\w-]+/", page)[0]
    row = ColleagueInvitation.objects.get()
    changed = client.get(reverse("admin:accounts_colleagueinvitation_change", args=[row.pk]))
    assert changed.status_code == 200
    assert link not in changed.content.decode()
    assert "unsent" not in changed.content.decode(), "the state is shown in words"


def test_table_holds_a_hash_under_the_newest_key(client, invite, settings):
    row = invite()
    token = path_of(row).split("/")[2]
    assert token not in str(ColleagueInvitation.objects.values().get())
    settings.TOKEN_KEYS = ["a-newer-key-of-links-than-the-one-before", *settings.TOKEN_KEYS]
    assert client.get(path_of(row)).status_code == 200
    settings.TOKEN_KEYS = settings.TOKEN_KEYS[:1]
    assert client.get(path_of(row)).status_code == 404


@pytest.mark.parametrize("token", ["a\0", "%00", "x" * 3000, "\udcff"])
def test_hostile_token_is_not_found(token):
    assert colleagues.find(token, now=timezone.now()) is None


def test_owner_invites_into_own_organisations_only(client, member, theirs):
    member(Role.OWNER)
    add(client, organisation=theirs.pk, email=ADDRESS, role=Role.OWNER)
    assert not ColleagueInvitation.objects.exists()


@pytest.mark.parametrize("known", ["member", "invited"])
def test_address_that_is_known_is_refused(client, member, ours, invite, known):
    member(Role.OWNER)
    if known == "member":
        factories.MembershipFactory(organisation=ours, user__email=ADDRESS)
    else:
        invite()
    before = ColleagueInvitation.objects.count()
    assert add(client, organisation=ours.pk, email="Ada@example.com", role=Role.OWNER).status_code == 200
    assert ColleagueInvitation.objects.count() == before


def test_each_step_is_in_the_history_without_the_address(client, invite, owner):
    row = invite()
    colleagues.resend(invitation=row, by=owner, now=timezone.now())
    row.refresh_from_db()
    again = invite(email="bea@example.com")
    colleagues.revoke(invitation=again, by=owner, now=timezone.now())
    steps = list(LogEntry.objects.order_by("pk").values_list("user", "object_id", "change_message"))
    assert steps == [
        (owner.pk, str(row.pk), "Invited."),
        (owner.pk, str(row.pk), "Sent again."),
        (owner.pk, str(again.pk), "Invited."),
        (owner.pk, str(again.pk), "Revoked."),
    ]


def test_list_sends_again_and_revokes(client, member, invite):
    member(Role.OWNER)
    row = invite()
    address = reverse("admin:accounts_colleagueinvitation_changelist")
    for action in ("resend_selected", "revoke_selected"):
        client.post(address, {"action": action, "_selected_action": [row.pk]})
    row.refresh_from_db()
    assert row.revoked_at
    assert client.get(path_of(row)).status_code == 404


def test_link_is_in_no_log(invite):
    row = invite()
    assert path_of(row).split("/")[2] not in without_secrets(f"GET {path_of(row)} and ?next={path_of(row)}")


def test_deactivated_colleague_stays_readable(client, member, ours):
    """What a person did keeps the name, and the person cannot sign in."""
    colleague = factories.MembershipFactory(organisation=ours, user__first_name="Grace").user
    key = factories.ApiKeyFactory(organisation=ours, by=colleague)
    member(Role.OWNER)
    client.post(
        reverse("admin:accounts_user_changelist"),
        {"action": "deactivate_selected", "_selected_action": [colleague.pk]},
    )
    page = client.get(reverse("admin:accounts_apikey_change", args=[key.pk])).content.decode()
    assert f"{colleague.username}, deactivated" in page
    assert not client.login(username=colleague.username, password=factories.PASSWORD)


def test_address_that_is_too_long_for_an_account_is_not_invited(client, member, ours):
    member(Role.OWNER)
    labels = ".".join(["example"] * 20)
    page = add(client, organisation=ours.pk, email=f"ada@{labels}.org", role=Role.RECRUITER)
    assert "too long for an account" in page.content.decode()
    assert not ColleagueInvitation.objects.exists()


def test_account_that_was_made_meanwhile_is_asked_to_sign_in(client, invite, monkeypatch):
    """Another organisation's invitation of the same address was accepted after this page was checked."""
    link = path_of(invite())
    monkeypatch.setattr(joining, "_has_account", lambda _email: False)
    factories.UserFactory(username=ADDRESS)
    response = client.post(link, ACCOUNT)
    assert (response.status_code, response["Location"]) == (302, link)


@pytest.mark.django_db(transaction=True)
def test_link_that_is_used_in_two_tabs_at_once_makes_one_account(invite):
    link = path_of(invite())
    together = threading.Barrier(2)

    def join(_n):
        together.wait(60)
        try:
            return Client().post(link, ACCOUNT).status_code
        finally:
            connections.close_all()

    with ThreadPoolExecutor(2) as pool:
        assert sorted(pool.map(join, range(2))) in ([302, 302], [302, 404])
    assert User.objects.filter(username=ADDRESS).count() == 1
