"""Who may see and change what: decided by roles in organisations, never by permissions clicked together.

Superusers run the platform and see everything. Anybody else sees what belongs to the organisations they are a
member of, and changes it where their role there is one of the writing ones.
"""

from collections.abc import Callable, Collection
from functools import wraps
from typing import Any, TypeVar

from django.contrib.auth.models import AnonymousUser
from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied
from django.db.models import Model, QuerySet
from django.http import HttpRequest, HttpResponse
from django.urls import reverse

from accounts.models import Membership, Organisation, User

Role = Membership.Role
EVERY_ROLE = frozenset(Role)
WRITERS = frozenset({Role.OWNER, Role.RECRUITER})
OWNERS = frozenset({Role.OWNER})

Row = TypeVar("Row", bound=Model)


def is_unlimited(user: User | AnonymousUser) -> bool:
    """Whether the user runs the platform."""
    return user.is_active and user.is_superuser


def organisation_ids(user: User | AnonymousUser, roles: Collection[str] = EVERY_ROLE) -> frozenset[int]:
    """The organisations in which the user has one of the roles. Reads the database once per user object."""
    if not user.is_active or user.is_anonymous:
        return frozenset()
    return frozenset(organisation for organisation, role in user.roles.items() if role in roles)


def has_any(user: User | AnonymousUser, roles: Collection[str] = EVERY_ROLE) -> bool:
    """Whether there is an organisation in which the user has one of the roles."""
    return is_unlimited(user) or bool(organisation_ids(user, roles))


def has_role(
    user: User | AnonymousUser, organisation_id: int | None, roles: Collection[str] = EVERY_ROLE
) -> bool:
    """Whether the user has one of the roles in this organisation."""
    return is_unlimited(user) or organisation_id in organisation_ids(user, roles)


def scoped(
    rows: QuerySet[Row], user: User | AnonymousUser, *, path: str, roles: Collection[str] = EVERY_ROLE
) -> QuerySet[Row]:
    """Those of `rows` whose organisation, found along `path`, gives the user one of the roles."""
    if is_unlimited(user):
        return rows
    return rows.filter(**{f"{path}__in": organisation_ids(user, roles)})


def organisations(user: User | AnonymousUser, roles: Collection[str] = EVERY_ROLE) -> QuerySet[Organisation]:
    """The organisations in which the user has one of the roles."""
    return scoped(Organisation.objects.all(), user, path="pk", roles=roles)


def users(user: User | AnonymousUser, roles: Collection[str] = EVERY_ROLE) -> QuerySet[User]:
    """The members of the organisations in which the user has one of the roles."""
    if is_unlimited(user):
        return User.objects.all()
    ids = organisation_ids(user, roles)
    return User.objects.filter(pk__in=Membership.objects.filter(organisation__in=ids).values("user"))


def may_administer(user: User | AnonymousUser, other: User) -> bool:
    """Whether `user` may change the name, the password and the like of `other`.

    Owners may, for people who are members of nothing but the owner's organisations: whoever sets a password
    can sign in as that person everywhere.
    """
    if is_unlimited(user):
        return True
    if other.is_superuser:
        return False
    theirs = frozenset(other.roles)
    return bool(theirs) and theirs <= organisation_ids(user, OWNERS)


def for_superusers(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    """The view, for those who run the platform; others are asked to sign in, or refused."""

    @wraps(view)
    def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if is_unlimited(request.user):
            return view(request, *args, **kwargs)
        if request.user.is_authenticated:
            raise PermissionDenied
        return redirect_to_login(request.get_full_path(), reverse("admin:login"))

    return guarded
