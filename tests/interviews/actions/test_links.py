"""How links are kept: hashed and encrypted, also those that the release before makes during an upgrade."""

from datetime import timedelta
from importlib import import_module

import pytest
from django.apps import apps
from django.core.management import CommandError, call_command
from django.db import connection
from django.utils import timezone

from interviews import jobs, tokens
from interviews.actions import invitations
from interviews.models import Invitation
from tests import factories

pytestmark = pytest.mark.django_db

NEWER = "a-newer-key-of-links-in-these-tests"


def now():
    return timezone.now()


def invite(interview):
    return invitations.invite(
        interview=interview, candidate_name="Ada", expires_at=now() + timedelta(days=1), by=None, now=now()
    )


@pytest.fixture
def of_the_release_before(make_invitation):
    """A function that makes a link as the release before does."""

    def make():
        invitation = make_invitation()
        old = {"plain_token": tokens.new_token(), "token_hash": None, "token_encrypted": None}
        Invitation.objects.filter(pk=invitation.pk).update(**old)
        return Invitation.objects.get(pk=invitation.pk)

    return make


def opens(client, token):
    return client.get(f"/i/{token}/").status_code == 200


def test_no_column_holds_the_token(interview, client):
    invitation = invite(interview)
    with connection.cursor() as cursor:
        cursor.execute("SELECT i::text FROM interviews_invitation i")
        [(row,)] = cursor.fetchall()
    assert invitation.token not in row
    assert invitation.token.encode().hex() not in row
    assert opens(client, Invitation.objects.get().token)


def test_kept_form_of_a_link_opens_nothing(interview, client):
    invitation = invite(interview)
    for kept in (invitation.token_hash.hex(), invitation.token_encrypted.decode(), "None"):
        assert not opens(client, kept)


def test_link_of_the_release_before_opens_and_is_protected(of_the_release_before, client):
    token = of_the_release_before().token
    assert opens(client, token)
    jobs.expire()
    row = Invitation.objects.get()
    assert row.token == token
    assert row.token_hash == tokens.digest(token)
    assert row.plain_token == token, "the release before may still look for it"
    assert opens(client, token)


def test_plain_token_is_deleted_a_day_later(of_the_release_before, client):
    token = of_the_release_before().token
    invitations.protect_links(now=now())
    invitations.protect_links(now=now() + timedelta(hours=25))
    row = Invitation.objects.get()
    assert (row.plain_token, row.plain_until) == (None, None)
    assert row.token == token
    assert opens(client, token)


def test_release_before_opens_links_that_are_made_during_the_upgrade(of_the_release_before, interview):
    of_the_release_before()
    assert invite(interview).plain_token is None, "nothing was migrated yet"
    invitations.protect_links(now=now())
    during = invite(interview)
    assert during.plain_token == during.token
    invitations.protect_links(now=now() + timedelta(hours=25))
    assert not Invitation.objects.filter(plain_token__isnull=False).exists()
    assert invite(interview).plain_token is None


def test_migration_fills_every_row_in_steps(of_the_release_before, client, monkeypatch):
    migration = import_module("interviews.migrations.0004_fill_token_hashes")
    monkeypatch.setattr(migration, "ROWS_AT_ONCE", 2)
    expected = {row.pk: row.token for row in (of_the_release_before() for _ in range(5))}
    done = factories.InvitationFactory()
    migration.fill(apps, None)
    rows = Invitation.objects.exclude(pk=done.pk)
    assert {row.pk: row.token for row in rows} == expected
    assert all(row.token_hash == tokens.digest(row.plain_token) and row.plain_until > now() for row in rows)
    done.refresh_from_db()
    assert done.plain_token is None


def test_keys_are_rotated_without_breaking_a_link(interview, client, settings, monkeypatch, capsys):
    monkeypatch.setattr(invitations, "ROWS_AT_ONCE", 2)
    links = [invite(interview).token for _ in range(5)]
    settings.SECRET_KEY = "changed"
    settings.TOKEN_KEYS = [NEWER, *settings.TOKEN_KEYS]
    links.append(invite(interview).token)
    assert all(opens(client, token) for token in links)
    call_command("rotate_token_keys")
    assert "written anew: 5. Links that had this key: 1." in capsys.readouterr().out
    settings.TOKEN_KEYS = [NEWER]
    assert all(opens(client, token) for token in links)
    assert {row.token for row in Invitation.objects.all()} == set(links)


def test_rotation_counts_what_it_cannot_read(interview, settings):
    invite(interview)
    settings.TOKEN_KEYS = [NEWER]
    with pytest.raises(CommandError, match="1 links cannot be read"):
        call_command("rotate_token_keys")
