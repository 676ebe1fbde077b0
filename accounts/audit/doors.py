"""The one way in which addresses leave entries: `leave_entries` goes round every view of the site.

An entry is left without being asked for by
- each page of an admin whose model is about candidates (`subjects`),
- each operation of the REST API, unless its scope is one of `WITHOUT_PERSONS`.

All others declare it, beside the view:

    @leaves()                   # of the kind that the request has
    @leaves(Kind.EXPORTED)      # of this kind
    @leaves_nothing             # it shows nobody

A view says more where the address does not: `about(rows)`, `about_candidates(…)`.

A read is shown once its entry is written. Where that fails, it is refused with 503. The entry of a change is
written in the transaction of the change ([ADR 52](docs/adr/0052-the-audit.md)).
"""

from collections.abc import Callable, Collection, Mapping
from functools import wraps
from typing import Any, TypeVar, cast
from uuid import UUID

from asgiref.sync import iscoroutinefunction
from django.contrib.admin import ModelAdmin
from django.db.models import Model, QuerySet
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.urls import URLPattern, URLResolver
from django.utils import timezone
from django.views.generic import RedirectView

from accounts.audit import subjects, visits
from accounts.audit.recording import Actor, Entry, Kind, record_about
from accounts.audit.visits import BY_METHOD, BY_OPERATION, KIND, Visit

__all__ = ["Actor", "Kind"]
View = TypeVar("View", bound=Callable[..., Any])


def leaves(kind: str = BY_METHOD) -> Callable[[View], View]:
    """Declare that a view, an operation or an action of an admin list leaves an entry of this kind.

    Without a kind it depends on the request: listed, read or changed.
    """

    def declare(view: View) -> View:
        setattr(view, KIND, str(kind))
        return view

    return declare


def leaves_nothing(view: View) -> View:
    """Declare that a view shows and changes nothing of a candidate."""
    setattr(view, KIND, "")
    return view


def in_one_transaction(operation: View) -> View:
    """Begin the transaction of a change. An API puts it round each operation.

    The caller is known by then: the transaction holds no lock on the key's row.
    """

    @wraps(operation)
    def call(*args: Any, **kwargs: Any) -> Any:
        if (visit := visits.current()) is not None:
            visit.begin()
        return operation(*args, **kwargs)

    return cast(View, call)


def about(rows: QuerySet, *, kind: str | None = None, door: str = "") -> None:
    """Say of which rows the entry of this request is. They are looked up when it is written.

    door: what is added to its name.
    """
    if (visit := visits.current()) is not None:
        visit.rows, visit.kind = rows, kind or visit.kind
        visit.suffix = door


def about_candidates(
    candidates: Collection[UUID],
    *,
    organisation_id: int | None,
    kind: str | None = None,
    by: str | None = None,
) -> bool:
    """Say of which candidates the entry of this request is, also of those who are erased by then.

    by: who it is, where no session and no key says so. Return whether there is a request.
    """
    visit = visits.current()
    if visit is None:
        return False
    visit.candidates |= dict.fromkeys(candidates, organisation_id)
    visit.kind, visit.actor = kind or visit.kind, by or visit.actor
    return True


def noticed(kind: str, rows: QuerySet, *, by: str | None = None) -> None:
    """Note what other apps tell by a signal: in the entry of the request, or in one of its own.

    by: who it is at an address that asks neither for a session nor for a key.
    """
    visit = visits.current()
    if visit is None:
        record_about(Entry(kind, "", timezone.now()), rows)
        return
    visit.kind, visit.actor = kind, visit.actor or by
    if visit.rows is None and not visit.candidates:
        visit.rows = rows


def leave_entries(patterns: list[Any], of_others: Mapping[str, str]) -> None:
    """Go round the views of these addresses. Those that run on the event loop show no candidate.

    of_others: kinds of views that are not ours, by the name of their address.
    """
    for pattern in patterns:
        if isinstance(pattern, URLResolver):
            leave_entries(pattern.url_patterns, of_others)
        elif isinstance(pattern, URLPattern) and not iscoroutinefunction(pattern.callback):
            kind = getattr(pattern.callback, KIND, of_others.get(str(pattern.name)))
            pattern.callback = _through(pattern.callback, kind)


def _through(view: Callable[..., HttpResponseBase], declared: str | None) -> Callable[..., HttpResponseBase]:
    if hasattr(view, "is_door") or getattr(view, "view_class", None) is RedirectView:
        return view
    model = _model_of(view)

    @wraps(view)
    def through(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        visit = Visit(request, kwargs, model, declared)
        visit.is_of_program = hasattr(view, BY_OPERATION)
        return visit.served(lambda: view(request, *args, **kwargs))

    through.is_door = True  # type: ignore[attr-defined]
    return through


def _model_of(view: Any) -> type[Model] | None:
    """Return the model of the admin that a view belongs to, if it is about candidates."""
    while view is not None:
        page = getattr(view, "model_admin", None) or getattr(view, "__self__", None)
        if isinstance(page, ModelAdmin):
            return page.model if subjects.is_personal(page.model) else None
        view = getattr(view, "__wrapped__", None)
    return None
