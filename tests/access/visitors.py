"""Everyone who may come: the columns of the table in docs/security.md."""

from collections.abc import Callable
from typing import Any

from django.test import Client

from accounts.models import SCOPES_OF_BEFORE, ApiKey, Membership
from tests import factories
from tests.access.organisation import Rows

Role = Membership.Role
EVERY_SCOPE = [*ApiKey.Scope]


def _staff(role: str | None = None, **user: Any) -> Callable[[Rows], Client]:
    def sign_in(rows: Rows) -> Client:
        person = factories.UserFactory(**user)
        if role:
            factories.MembershipFactory(organisation=rows.organisation, user=person, role=role)
        return _signed_in(person)

    return sign_in


def _signed_in(person: Any) -> Client:
    client = Client(raise_request_exception=False)
    client.force_login(person)
    return client


def _owner_of_another(rows: Rows) -> Client:
    return _signed_in(factories.MembershipFactory(role=Role.OWNER).user)


def _key(*scopes: str) -> Callable[[Rows], Client]:
    def with_key(rows: Rows) -> Client:
        return _with_key(factories.ApiKeyFactory(organisation=rows.organisation, scopes=list(scopes)))

    return with_key


def _with_key(key: Any) -> Client:
    return Client(raise_request_exception=False, headers={"Authorization": f"Bearer {key.plain}"})


VISITORS: dict[str, Callable[[Rows], Client]] = {
    "anybody": lambda rows: Client(raise_request_exception=False),
    "no role": _staff(),
    "reviewer": _staff(Role.REVIEWER),
    "recruiter": _staff(Role.RECRUITER),
    "owner": _staff(Role.OWNER),
    "owner of another": _owner_of_another,
    "superuser": _staff(is_superuser=True),
    "key: interviews": _key(*(scope for scope in EVERY_SCOPE if not scope.startswith("voice:"))),
    "key: voice": _key(*SCOPES_OF_BEFORE["voice"]),
    "key of another": lambda rows: _with_key(factories.ApiKeyFactory(scopes=EVERY_SCOPE)),
}
STRANGERS = ("anybody", "no role", "owner of another", "key of another")
"""Visitors to whom nothing of the organisation may be told, whatever the address."""
