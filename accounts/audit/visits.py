"""A request at a door, and the entry that it leaves (`accounts.audit.doors`)."""

from collections.abc import Callable, Collection, Iterator
from contextlib import ExitStack, contextmanager
from contextvars import ContextVar
from typing import Any, Final
from uuid import UUID

from django.contrib.admin.utils import unquote
from django.core.exceptions import PermissionDenied
from django.db import Error as DatabaseError
from django.db import transaction
from django.db.models import Model, QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.urls import reverse
from django.utils import timezone

from accounts import access
from accounts.audit import filters, subjects
from accounts.audit.recording import Actor, Entry, Kind, Outcome, record, record_about
from accounts.models import ApiKey
from accounts.networks import address_of

SAFE: Final = ("GET", "HEAD", "OPTIONS", "TRACE")
REFUSED: Final = (401, 403, 404)
UNPLACED: Final = (Actor.CANDIDATE, Actor.ADDRESS)
"""Of whom no IP address is kept: they are, or may be, candidates (docs/privacy.md)."""
UNNOTED: Final = (405, 429)
"""Nothing was tried, or too much in a short time: it must not fill the audit."""
KIND: Final = "audit_kind"
"""The attribute of a view that says which kind of entry it leaves; "" for none."""
BY_METHOD: Final = "by method"
BY_OPERATION: Final = "audit_by_operation"
"""The attribute of the views of an API: what they leave depends on the operation."""
WITHOUT_PERSONS: Final = ("interviews:", "settings:", "voice:")
"""Beginnings of the scopes of operations that show nobody."""
TRY_AGAIN_S: Final = 5

_current: ContextVar["Visit | None"] = ContextVar("visit", default=None)


def current() -> "Visit | None":
    """Return the visit that is served; None outside of a request."""
    return _current.get()


class Visit:
    """A request at a door, and the entry that it leaves."""

    def __init__(
        self,
        request: HttpRequest,
        parameters: dict[str, Any],
        model: type[Model] | None,
        declared: str | None,
    ) -> None:
        self.request = request
        self.kind = None if declared == BY_METHOD else declared
        self.actor: str | None = None
        self.rows: QuerySet | None = None
        self.candidates: dict[UUID, int | None] = {}
        self.suffix = ""
        self.is_of_program = self._has_begun = self._is_noted = False
        self._transaction: ExitStack | None = None
        self._parameters, self._model, self._declared = parameters, model, declared

    @property
    def _is_door(self) -> bool:
        if self._declared is not None:
            return bool(self._declared)
        if self._is_empty_form:
            return False
        return self._model is not None or self.kind is not None or bool(self.candidates) or self._operates

    @property
    def _is_empty_form(self) -> bool:
        match = self.request.resolver_match
        return self.request.method in SAFE and str(match and match.url_name).endswith("_add")

    @property
    def _operates(self) -> bool:
        """Whether an operation of the API was asked for that may show somebody."""
        operation, scope = (getattr(self.request, name, "") for name in ("operation", "scope_needed"))
        if not self.is_of_program or not operation or getattr(operation, KIND, None) == "":
            return False
        return not scope.startswith(WITHOUT_PERSONS)

    def served(self, view: Callable[[], HttpResponseBase]) -> HttpResponseBase:
        """Return the view's response, or one that refuses it where the entry cannot be written."""
        with _visiting(self):
            try:
                return self._served(view)
            except _NotWritten:
                return _refusal()

    def _served(self, view: Callable[[], HttpResponseBase]) -> HttpResponseBase:
        is_change = self.request.method not in SAFE and (self._is_door or self.is_of_program)
        try:
            response = self._changed(view) if is_change else view()
        except (Http404, PermissionDenied):
            self._write(HttpResponse(status=403))
            raise
        if not self._is_noted:
            self._write(response)
        return response

    def _changed(self, view: Callable[[], HttpResponseBase]) -> HttpResponseBase:
        """Let the view change something, in one transaction with the entry that says so."""
        with ExitStack() as self._transaction:
            if not self.is_of_program:
                self.begin()
            response = view()
            if self._has_begun and response.status_code < 400:
                self._write(response)
                self._is_noted = True
            elif self._has_begun and response.status_code >= 500:
                transaction.set_rollback(True)
        return response

    def begin(self) -> None:
        """Begin the transaction of a change. A read has none."""
        if self._transaction is not None and self._is_door:
            self._transaction.enter_context(transaction.atomic())
            self._has_begun = True

    def _write(self, response: HttpResponseBase) -> None:
        who = self._who() if self._is_door and response.status_code not in UNNOTED else None
        if who is None:
            return
        try:
            self._record(response, *who)
        except DatabaseError as error:
            raise _NotWritten from error

    def _record(self, response: HttpResponseBase, actor: str, organisations: Collection[int | None]) -> None:
        rows = self._rows()
        entry = Entry(
            kind=self._kind(rows),
            door=self._name(),
            at=timezone.now(),
            actor=actor,
            outcome=self._outcome(response),
            person_id=self.request.user.pk if actor == Actor.PERSON else None,
            key_id=self._key.pk if actor == Actor.KEY else None,
            row=self._row(),
            address="" if actor in UNPLACED else address_of(self.request),
            filter=filters.without_words(self.request.GET) if self.request.method in SAFE else None,
        )
        if self.candidates:
            self._record_candidates(entry)
        elif rows is None or not record_about(entry, rows):
            record(entry, organisations=organisations)

    def _record_candidates(self, entry: Entry) -> None:
        for organisation in dict.fromkeys(self.candidates.values()):
            them = [each for each, of in self.candidates.items() if of == organisation]
            record(entry, organisations=[organisation], candidates=them)

    def _rows(self) -> QuerySet | None:
        if self.rows is not None or self.candidates:
            return self.rows
        parameters = dict(self._parameters)
        if "object_id" in parameters:
            parameters["object_id"] = unquote(str(parameters["object_id"]))
        return subjects.named(parameters, self._model)

    def _kind(self, rows: QuerySet | None) -> str:
        operation = getattr(self.request, "operation", None)
        declared = self.kind or getattr(operation, KIND, None)
        if declared:
            return declared
        if self.request.method not in SAFE:
            return Kind.CHANGED
        return Kind.LISTED if rows is None and not self.candidates else Kind.READ

    def _name(self) -> str:
        match = self.request.resolver_match
        operation = getattr(self.request, "operation", None)
        name = operation.__name__ if operation else (match.url_name or match.route if match else "")
        return " ".join(filter(None, [name, self.suffix]))

    def _row(self) -> str:
        named = [value for name, value in self._parameters.items() if name.endswith("id")]
        return str(named[-1]) if named else ""

    def _outcome(self, response: HttpResponseBase) -> str:
        if response.status_code in REFUSED or self._leads_away(response):
            return Outcome.REFUSED
        return Outcome.ALLOWED if response.status_code < 400 else Outcome.FAILED

    def _leads_away(self, response: HttpResponseBase) -> bool:
        """Whether the admin leads to the sign-in page, or home for a row that it does not show."""
        if response.status_code != 302 or self._model is None:
            return False
        place = response.headers.get("Location", "")
        return place.startswith(reverse("admin:login")) or place == reverse("admin:index")

    @property
    def _key(self) -> Any:
        """The key that was sent: one that opened the operation, or a valid one that did not."""
        shown = getattr(self.request, "auth", None) or getattr(self.request, "key_refused", None)
        return shown if isinstance(shown, ApiKey) else None

    def _who(self) -> tuple[str, Collection[int | None]] | None:
        """Return who it is, and the organisations of an entry without rows; None for nobody."""
        if self.actor is not None:
            return self.actor, [None]
        if self.is_of_program:
            key = self._key
            if key is not None:
                return Actor.KEY, [key.organisation_id]
            return (Actor.UNKNOWN, [None]) if _has_secret(self.request) else None
        user = self.request.user
        if user.is_anonymous:
            return None
        return Actor.PERSON, access.organisation_ids(user) or [None]


class _NotWritten(Exception):
    """The entry could not be written."""


def _has_secret(request: HttpRequest) -> bool:
    return bool(request.headers.get("Authorization") or request.headers.get("X-API-Key"))


def _refusal() -> HttpResponse:
    text = "This cannot be shown or done now, because it cannot be noted in the audit. Please try again."
    headers = {"Retry-After": str(TRY_AGAIN_S)}
    return HttpResponse(text, status=503, content_type="text/plain; charset=utf-8", headers=headers)


@contextmanager
def _visiting(visit: Visit) -> Iterator[None]:
    token = _current.set(visit)
    try:
        yield
    finally:
        _current.reset(token)
