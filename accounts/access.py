"""Access rules: decided by roles in organisations, not by single permissions.

Superusers run the platform and see everything. Other users see what belongs to the organisations they are
members of, and change it where they have one of the writing roles. Where an organisation wants it, reviewers
see only candidates that are assigned to them: `scoped` is the one place that decides it, for every list, file
and export (`limit_to_assigned`).
"""

from collections.abc import Callable, Collection
from functools import wraps
from typing import Any, TypeVar

from django.contrib.auth.models import AnonymousUser
from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied
from django.db.models import Model, Q, QuerySet
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
    """Return the ids of organisations where the user has one of the roles. Cached on the user object."""
    if not user.is_active or user.is_anonymous:
        return frozenset()
    return frozenset(organisation for organisation, role in user.roles.items() if role in roles)


def has_any(user: User | AnonymousUser, roles: Collection[str] = EVERY_ROLE) -> bool:
    """Whether the user has one of the roles in any organisation."""
    return is_unlimited(user) or bool(organisation_ids(user, roles))


def has_role(
    user: User | AnonymousUser, organisation_id: int | None, roles: Collection[str] = EVERY_ROLE
) -> bool:
    """Whether the user has one of the roles in this organisation."""
    return is_unlimited(user) or organisation_id in organisation_ids(user, roles)


def scoped(
    rows: QuerySet[Row], user: User | AnonymousUser, *, path: str, roles: Collection[str] = EVERY_ROLE
) -> QuerySet[Row]:
    """Filter `rows` to those whose organisation, found along `path`, gives the user one of the roles.

    Of organisations whose reviewers see only what is assigned to them, a reviewer gets no other rows.
    """
    if is_unlimited(user):
        return rows
    seen = rows.filter(**{f"{path}__in": organisation_ids(user, roles)})
    is_assigned = _ASSIGNED.get(rows.model)
    if is_assigned is None or user.is_anonymous or not is_by_assignment(user):
        return seen
    return seen.filter(~Q(**{f"{path}__in": user.assigned_only}) | is_assigned(user))


def is_by_assignment(user: User | AnonymousUser) -> bool:
    """Whether the user sees, of an organisation, only candidates that are assigned to them."""
    return not is_unlimited(user) and not user.is_anonymous and bool(user.assigned_only)


def limit_to_assigned(model: type[Model], is_assigned: Callable[[User], Q]) -> None:
    """Declare which rows of a model are assigned to a reviewer; `scoped` obeys it."""
    _ASSIGNED[model] = is_assigned


_ASSIGNED: dict[type[Model], Callable[[User], Q]] = {}


def organisations(user: User | AnonymousUser, roles: Collection[str] = EVERY_ROLE) -> QuerySet[Organisation]:
    """Return the organisations in which the user has one of the roles."""
    return scoped(Organisation.objects.all(), user, path="pk", roles=roles)


def only_organisation(user: User | AnonymousUser, roles: Collection[str]) -> dict[str, int]:
    """Return what a new row's form begins with: the organisation, if the user has the role in just one."""
    found = list(organisations(user, roles)[:2])
    return {"organisation": found[0].pk} if len(found) == 1 else {}


def users(user: User | AnonymousUser, roles: Collection[str] = EVERY_ROLE) -> QuerySet[User]:
    """Return the members of the organisations in which the user has one of the roles."""
    if is_unlimited(user):
        return User.objects.all()
    ids = organisation_ids(user, roles)
    return User.objects.filter(pk__in=Membership.objects.filter(organisation__in=ids).values("user"))


def may_administer(user: User | AnonymousUser, other: User) -> bool:
    """Whether `user` may change the name, the password and other details of `other`.

    Owners may do so for people who are members of the owner's organisations only, because a person who sets
    a password can sign in as that user everywhere.
    """
    if is_unlimited(user):
        return True
    if other.is_superuser:
        return False
    theirs = frozenset(other.roles)
    return bool(theirs) and theirs <= organisation_ids(user, OWNERS)


View = Callable[..., HttpResponse]


def restricted(view: View, is_allowed: Callable[[User | AnonymousUser], bool]) -> View:
    """Restrict the view to some users. Others are refused, or sent to sign in if they only want to read."""

    @wraps(view)
    def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if is_allowed(request.user):
            return view(request, *args, **kwargs)
        if request.user.is_authenticated or request.method == "POST":
            raise PermissionDenied
        return redirect_to_login(request.get_full_path(), reverse("admin:login"))

    return guarded


def for_superusers(view: View) -> View:
    """Restrict the view to superusers."""
    return restricted(view, is_unlimited)


def for_owners(view: View) -> View:
    """Restrict the view to owners of organisations, and superusers."""
    return restricted(view, lambda user: user.is_staff and has_any(user, OWNERS))


def for_members(view: View) -> View:
    """Restrict the view to members of organisations, and superusers."""
    return restricted(view, lambda user: user.is_staff and has_any(user))
