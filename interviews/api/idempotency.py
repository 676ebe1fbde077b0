"""`Idempotency-Key` on every POST: carried out once, answered alike for a day. The router adds it to all.

Only what was carried out is kept. A refused request changed nothing, so the same request is judged anew.
"""

from collections.abc import Callable
from contextlib import ExitStack
from functools import wraps
from typing import Any, Final

from django.db import transaction
from django.http import HttpResponse
from django.http.response import HttpResponseBase
from django.utils import timezone

from accounts.audit.doors import about
from interviews.actions import idempotency
from interviews.actions.errors import BadValue
from interviews.models import Invitation

HEADER: Final = "Idempotency-Key"
REPLAYED: Final = "Idempotency-Replayed"
LONGEST: Final = 200


def keeping_answers(run: Callable[..., Any]) -> Callable[..., Any]:
    """End the transaction that `answered_before` opens: the answer is kept, or all is rolled back.

    Wraps the whole operation. The transaction begins later, so that it holds no lock on the caller's API key.
    """

    @wraps(run)
    def call(request: Any, *args: Any, **kwargs: Any) -> HttpResponseBase:
        with ExitStack() as request.until_answered:
            response = run(request, *args, **kwargs)
            asked = getattr(request, "asked", None)
            if asked and response.status_code >= 400:
                transaction.set_rollback(True)
            elif asked and REPLAYED not in response:
                idempotency.keep(
                    asked, status=response.status_code, body=response.content, now=timezone.now()
                )
        return response

    return call


def answered_before(view: Callable[..., Any]) -> Callable[..., Any]:
    """Answer a request that was carried out before as it was then. Runs once the caller is known."""

    @wraps(view)
    def call(request: Any, *args: Any, **kwargs: Any) -> Any:
        key = request.headers.get(HEADER) if request.method == "POST" else None
        if key is None:
            return view(request, *args, **kwargs)
        asked = _asked(request, key)
        request.until_answered.enter_context(transaction.atomic())
        request.asked = asked
        if before := idempotency.begin(request.asked):
            return _again(request, before)
        return view(request, *args, **kwargs)

    return call


def _again(request: Any, before: idempotency.Answered) -> HttpResponse:
    """Return the answer of before, which shows its candidates again."""
    rows = Invitation.objects.filter(pk__in=before.named, interview__organisation=request.auth.organisation)
    if rows.exists():
        about(rows)
    headers = {REPLAYED: "true"}
    return HttpResponse(before.body, status=before.status, content_type="application/json", headers=headers)


def _asked(request: Any, key: str) -> idempotency.Asked:
    if not 0 < len(key) <= LONGEST or not (key.isascii() and key.isprintable()):
        raise BadValue(f"{HEADER}: send 1 to {LONGEST} printable ASCII characters.")
    return idempotency.Asked(
        api_key=request.auth.pk,
        key=key,
        method=request.method,
        address=request.get_full_path(),
        body=request.body,
    )
