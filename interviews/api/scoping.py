"""Access of a REST request: the rows of its key's organisation."""

from typing import Any, cast
from uuid import UUID

from django.db.models import Count, QuerySet
from django.http import Http404, HttpRequest

from accounts.models import ApiKey
from accounts.networks import address_of, network_of
from accounts.rest_keys import BearerKey, HeaderKey, KeyRefused, WrongNetwork, admit
from interviews.actions.errors import ActionRefused
from interviews.models import Answer, Interview, Invitation, Session
from interviews.queries import progress
from voice.capacity import rate_limits
from voice.capacity.allowances import Allowance
from voice.web.schemas import ProblemOut
from voice.web.scopes import scope_of

Scope = ApiKey.Scope
ERRORS = {(400, 401, 403, 404, 405, 409, 410, 412, 413, 422, 428, 429): ProblemOut}


OF_TESTS = {
    *(Scope.INTERVIEWS_READ, Scope.INVITATIONS_READ, Scope.INVITATIONS_WRITE, Scope.RESULTS_READ),
    *(Scope.ERASURE_READ, Scope.ERASURE_WRITE),
}
"""The scopes whose operations tell test candidates and real ones apart."""


class TestKey(ActionRefused):
    """The key is for tests, and this is not."""

    code = "test_key"
    __test__ = False  # pytest


def _key(request: HttpRequest, secret: str | None) -> ApiKey | None:
    """Return the key, after counting the request. Raises KeyRefused, RateLimited."""
    if not secret:
        return None
    address = address_of(request)
    try:
        key = admit(secret, scope=scope_of(request), address=address)
    except KeyRefused as refused:
        cast(ApiRequest, request).key_refused = refused.key
        if isinstance(refused, WrongNetwork):
            rate_limits.count_wrong_key_in_thread(network_of(address))
        raise
    if key is None:
        rate_limits.count_wrong_key_in_thread(network_of(address))
        return None
    if key.is_test and scope_of(request) not in OF_TESTS:
        raise TestKey("A key for tests may not change this: it is the same for real candidates.")
    cast(ApiRequest, request).allowance = rate_limits.count_request_in_thread(f"key:{key.pk}")
    return key


AUTH = [BearerKey(_key), HeaderKey(_key)]


class ApiRequest(HttpRequest):
    """A request with a valid key. key_refused: one that is not for this."""

    auth: ApiKey
    key_refused: ApiKey
    allowance: Allowance


def one(rows: QuerySet, row_id: UUID | int, what: str) -> Any:
    """Return the row with this id. Raises Http404, which names what is missing."""
    try:
        return rows.get(pk=row_id)
    except rows.model.DoesNotExist:
        raise Http404(f"Your organisation has no {what} with this id.") from None


def interviews_of_organisation(request: ApiRequest) -> QuerySet[Interview]:
    """Return the interviews that the key may read."""
    return Interview.objects.filter(organisation=request.auth.organisation)


def counted_interviews(request: ApiRequest) -> QuerySet[Interview]:
    """Return the interviews that the key may read, with `question_count`."""
    return interviews_of_organisation(request).annotate(question_count=Count("questions"))


def _of_mode(request: ApiRequest, invitation: str = "") -> dict[str, Any]:
    """Return the condition of what the key may see: tests for a key for tests, else what counts.

    invitation: the way from the row to its invitation.
    """
    if request.auth.is_test:  # a recruiter tries a draft, which has no number
        return {f"{invitation}tried__number__isnull": False, f"{invitation}set_aside_of": None}
    return {f"{invitation}tried": None, f"{invitation}set_aside_of": None}


def invitations_of_organisation(request: ApiRequest) -> QuerySet[Invitation]:
    """Return the invitations that the key may read, with their progress."""
    own = {"interview__organisation": request.auth.organisation} | _of_mode(request)
    rows = Invitation.objects.filter(**own)
    return progress.of_invitations(rows).select_related("session")


def sessions_of_organisation(request: ApiRequest) -> QuerySet[Session]:
    """Return the sessions that the key may read, with their progress."""
    own = {"invitation__interview__organisation": request.auth.organisation}
    rows = Session.objects.filter(**own, **_of_mode(request, "invitation__"))
    return progress.of_sessions(rows).select_related("invitation")


def answer_of_organisation(request: ApiRequest, answer_id: UUID) -> Answer:
    """Return an answer to a question, with its recording and transcript."""
    rows = Answer.objects.filter(
        session__invitation__interview__organisation=request.auth.organisation,
        **_of_mode(request, "session__invitation__"),
    ).exclude(kind=Answer.Kind.PRACTICE)
    return one(rows.select_related("recording__transcript"), answer_id, "answer")
