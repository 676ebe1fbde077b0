"""Changes to how somebody signs in leave an entry in each organisation of theirs."""

import pytest
from allauth.mfa import signals as factors
from allauth.mfa.models import Authenticator
from django.test import Client

from accounts.audit.models import AuditEntry
from accounts.models import BrowserSession
from accounts.sign_on import provider, sessions
from interviews import tokens
from tests import factories

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("clean_redis")]
OWN = "/admin/profile/second-factor/"


@pytest.fixture
def ada():
    return factories.MembershipFactory(user__is_staff=True, role="owner").user


def entries_of(door):
    return list(AuditEntry.objects.filter(door=door).values_list("organisation_id", "person_id", "row"))


def expected(user):
    return [(user.memberships.get().organisation_id, user.pk, str(user.pk))]


def test_new_recovery_codes_leave_an_entry(ada, client):
    secret = tokens.encrypt("JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP").decode()
    Authenticator.objects.create(user=ada, type="totp", data={"secret": secret})
    client.force_login(ada)

    client.post(OWN, {"act": "renew"})
    client.post(OWN, {"act": "renew"})

    assert entries_of("recovery codes renewed")[-1:] == expected(ada)


def test_wrong_confirmation_leaves_a_refused_entry(ada, client):
    client.force_login(ada)

    client.post("/admin/confirm/", {"password": "wrong"})

    entry = AuditEntry.objects.get(outcome="refused")
    assert (entry.person_id, entry.organisation_id) == (ada.pk, ada.memberships.get().organisation_id)


def test_ended_session_leaves_an_entry(ada):
    Client().force_login(ada)
    ended = sessions.end(BrowserSession.objects.filter(user=ada), by=ada)

    assert ended == 1
    assert entries_of("session ended") == expected(ada)


def test_role_ends_a_session_without_second_factor_and_the_platform_notes_it(ada):
    Client().force_login(ada)
    wanting = factories.OrganisationFactory(is_second_factor_required=True)

    factories.MembershipFactory(user=ada, organisation=wanting)

    assert not BrowserSession.objects.filter(user=ada).exists()
    organisations = ada.memberships.values_list("organisation_id", flat=True)
    assert sorted(entries_of("session ended")) == sorted((each, None, str(ada.pk)) for each in organisations)


@pytest.mark.parametrize("door", ["session ended", "second factor removed"])
def test_change_by_an_owner_stands_where_the_person_concerned_is_a_member(ada, rf, door):
    mine = ada.memberships.get().organisation_id
    owner = factories.MembershipFactory(organisation_id=mine, role="owner").user
    factories.MembershipFactory(user=owner, role="owner")

    if door == "session ended":
        Client().force_login(ada)
        sessions.end(BrowserSession.objects.filter(user=ada), by=owner)
    else:
        request = rf.post("/")
        request.user = owner
        factors.authenticator_removed.send(Authenticator, user=ada, request=request)

    assert entries_of(door) == [(mine, owner.pk, str(ada.pk))]


def test_role_that_the_provider_takes_leaves_an_entry_where_it_was(ada, settings):
    organisation = ada.memberships.get().organisation
    settings.OIDC_ROLES = {"team": (organisation.slug, "owner")}

    provider.set_roles(ada, {})

    assert entries_of("roles by the provider") == [(organisation.pk, None, str(ada.pk))]
