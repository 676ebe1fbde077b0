"""People of the identity provider: found or made at sign-in, with the roles that their claims give them now.

Who signs in there signs in nowhere else: the account's password is taken away, so that whoever is closed
out there is closed out here. Roles in organisations that `OIDC_ROLES` names are the claims' alone; a role
that is missing there is taken away, and whoever has none left is signed out everywhere.
"""

import secrets

from allauth.mfa.models import Authenticator
from allauth.socialaccount.models import SocialAccount
from django.conf import settings
from django.contrib.admin.models import ADDITION, CHANGE
from django.db import transaction
from django.db.models import Q

from accounts import admin_log
from accounts.models import Membership, Organisation, User
from accounts.sign_on import sessions
from accounts.sign_on.claims import Person, roles_of
from accounts.sign_on.signals import roles_changed

PROVIDER = "oidc"


class NotAdmitted(Exception):
    """The provider knows this person, and there is no account for them here, or none that opens anything."""


def is_of_provider(user: User) -> bool:
    """Whether the user signs in with the identity provider, and not with a password or passkey."""
    return bool(settings.OIDC_ISSUER) and SocialAccount.objects.filter(user=user, provider=PROVIDER).exists()


def admit(person: Person) -> User:
    """Return the account of a person, up to date. Raises NotAdmitted, after roles were taken away."""
    with transaction.atomic():
        user = _known(person) or _linked(person) or _made(person)
        _set_names(user, person)
        set_roles(user, roles_of(person.groups, settings.OIDC_ROLES))
        is_admitted = user.is_active and (user.is_superuser or user.memberships.exists())
        if not is_admitted:
            sessions.end(sessions.of_user(user), by=user)
    if not is_admitted:
        raise NotAdmitted
    return user


def _known(person: Person) -> User | None:
    link = SocialAccount.objects.filter(provider=PROVIDER, uid=person.subject).first()
    return User.objects.select_for_update().get(pk=link.user_id) if link else None


def _linked(person: Person) -> User | None:
    """Return the account with the person's address, which is the provider's from now on.

    Only accounts of organisations that the provider decides about count: others can be made by anybody who
    owns another organisation. An operator's is never taken over by an address, and neither is one that was
    deactivated or one of another person of the provider.
    """
    if not person.email:
        return None
    has_address = User.objects.filter(Q(email__iexact=person.email) | Q(username__iexact=person.email))
    if has_address.filter(is_superuser=True).exists():
        raise NotAdmitted
    of_provider = Membership.objects.filter(organisation__slug__in=_decided()).values("user_id")
    found = list(has_address.select_for_update().filter(pk__in=of_provider)[:2])
    if not found:
        return None
    if len(found) > 1 or not found[0].is_active or SocialAccount.objects.filter(user=found[0]).exists():
        raise NotAdmitted
    _link(found[0], person)
    return found[0]


def _link(user: User, person: Person) -> None:
    """Take the password and the factors away: whoever made the account may know them."""
    user.set_unusable_password()
    user.save(update_fields=["password"])
    Authenticator.objects.filter(user=user).delete()
    SocialAccount.objects.create(user=user, provider=PROVIDER, uid=person.subject)
    admin_log.record(user, [user], CHANGE, "Signs in with the identity provider from now on.")


def _made(person: Person) -> User:
    if not person.email or not roles_of(person.groups, settings.OIDC_ROLES):
        raise NotAdmitted
    user = User(username=_free_name(person.email), email=person.email, is_staff=True)
    user.set_unusable_password()
    user.save()
    SocialAccount.objects.create(user=user, provider=PROVIDER, uid=person.subject)
    admin_log.record(user, [user], ADDITION, "Made by the identity provider.")
    return user


def _free_name(email: str) -> str:
    """Return the address, or the address and a number where an account elsewhere is called so."""
    is_taken = User.objects.filter(username__iexact=email).exists()
    return f"{email[:140]}+{secrets.randbelow(10**6):06}" if is_taken else email


def _decided() -> set[str]:
    """Return the slugs of the organisations whose roles are the provider's."""
    return {slug for slug, _role in settings.OIDC_ROLES.values()}


def _set_names(user: User, person: Person) -> None:
    names = (person.first_name or user.first_name, person.last_name or user.last_name)
    if names != (user.first_name, user.last_name):
        user.first_name, user.last_name = names
        user.save(update_fields=["first_name", "last_name"])


def set_roles(user: User, wanted: dict[str, str]) -> None:
    """Give the roles that claims name, and take away others in the organisations that they decide about."""
    before = dict(user.memberships.values_list("organisation_id", "role"))
    for organisation in Organisation.objects.filter(slug__in=_decided()).order_by("pk"):
        _set_role(user, organisation, wanted.get(organisation.slug))
    after = dict(user.memberships.values_list("organisation_id", "role"))
    if before != after:
        admin_log.record(user, [user], CHANGE, "Roles changed by the identity provider.")
        roles_changed.send(User, user=user, before=before, after=after)


def _set_role(user: User, organisation: Organisation, role: str | None) -> None:
    row = Membership.objects.filter(user=user, organisation=organisation).first()
    if row and role is None:
        row.delete()
    elif row and row.role != role:
        row.role = role  # type: ignore[assignment]
        row.save(update_fields=["role"])
    elif role and not row:
        Membership.objects.create(user=user, organisation=organisation, role=role)
