"""What an identity provider's claims say: who a person is, and which roles their groups stand for here."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

ROLES = ("reviewer", "recruiter", "owner")
"""The later, the more it may do."""
STRONG = {"mfa", "hwk", "otp", "fpt", "face"}
"""Values of `amr` that stand for a second factor, or for a passkey. Source: RFC 8176, section 2."""

RolesOfGroups = Mapping[str, tuple[str, str]]
"""Organisation (its slug) and role, by group."""


@dataclass(frozen=True, slots=True)
class Person:
    """subject: never given to anybody else by this provider; email: lower case, empty if not their own."""

    subject: str
    email: str
    first_name: str
    last_name: str
    groups: frozenset[str]
    has_second_factor: bool


def parse_roles(text: str) -> dict[str, tuple[str, str]]:
    """Return the roles of `group=organisation:role,…`. Raises ValueError."""
    found = {}
    for pair in filter(None, (part.strip() for part in text.split(","))):
        group, _, given = pair.rpartition("=")
        slug, _, role = given.partition(":")
        if not group or not slug or role not in ROLES:
            raise ValueError("write pairs of a group and a role")
        found[group] = (slug, role)
    return found


def person_of(
    claims: Mapping[str, Any], *, groups_claim: str, is_email_verified: bool, has_second_factor: bool
) -> Person:
    """Read claims.

    groups_claim: where groups stand; `realm_access.roles` is `roles` within `realm_access`.
    is_email_verified, has_second_factor: what the deployment vouches for, whatever the claims say.
    """
    is_own = is_email_verified or claims.get("email_verified") is True
    first, _, last = str(claims.get("name", "")).partition(" ")
    return Person(
        subject=str(claims["sub"]),
        email=str(claims.get("email", "")).strip().lower() if is_own else "",
        first_name=str(claims.get("given_name", first))[:150],
        last_name=str(claims.get("family_name", last))[:150],
        groups=frozenset(_texts(_within(claims, groups_claim))),
        has_second_factor=has_second_factor or bool(STRONG & set(_texts(claims.get("amr")))),
    )


def roles_of(groups: Iterable[str], given: RolesOfGroups) -> dict[str, str]:
    """Return the role by organisation; of several the one that may do most."""
    roles: dict[str, str] = {}
    for slug, role in (given[group] for group in groups if group in given):
        roles[slug] = max(roles.get(slug, role), role, key=ROLES.index)
    return roles


def _within(claims: Mapping[str, Any], path: str) -> Any:
    found: Any = claims
    if path in claims:  # some providers name claims by addresses, which have dots
        return claims[path]
    for name in path.split("."):
        found = found.get(name) if isinstance(found, Mapping) else None
    return found


def _texts(value: Any) -> list[str]:
    """Return a claim with several values; a single text is one."""
    if isinstance(value, str):
        return [value]
    return [each for each in value if isinstance(each, str)] if isinstance(value, list) else []
