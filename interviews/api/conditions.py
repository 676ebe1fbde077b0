"""Conditional requests: ETag, If-None-Match and If-Match. Source: RFC 9110, sections 8.8.3 and 13.

    @router.patch("/interviews/{uuid:interview_id}", …)
    @scopes.needs(…)
    @transaction.atomic
    def update(request, interview_id, payload):
        interview = scoping.one(rows.select_for_update(), interview_id, "interview")
        conditions.check(request, schemas.InterviewDetailOut, interview, is_needed=True)

Every GET that succeeds has an ETag: the hash of what it answers. `check` makes it anew from the row, so no
column counts changes, and what counts is what the caller has seen.
"""

import hashlib
import json
from collections.abc import Callable
from functools import wraps
from typing import Any

from django.http import HttpRequest, HttpResponseNotModified
from django.http.response import HttpResponseBase
from django.utils.http import parse_etags
from ninja import Schema
from ninja.responses import NinjaJSONEncoder

from interviews.actions.errors import ActionRefused

ANY = "*"


class ChangedMeanwhile(ActionRefused):
    """The row is not as the caller read it."""

    code = "changed_meanwhile"


class ConditionNeeded(ActionRefused):
    """The caller does not say which state of the row the change is meant for."""

    code = "condition_needed"


def check(request: HttpRequest, schema: type[Schema], row: Any, *, is_needed: bool = False) -> None:
    """Compare If-Match with the row, which is locked, as `schema` shows it. Without it all is well.

    is_needed: two people may edit the row at once, and the later one must not undo the earlier one's change.

    Raises:
        ChangedMeanwhile: it is not as the caller read it.
        ConditionNeeded: the condition is needed and there is none.
    """
    wanted = request.headers.get("If-Match")
    if wanted is None:
        if is_needed:
            raise ConditionNeeded(
                "Send If-Match with the ETag of the row as you read it; * overwrites whatever is there."
            )
    elif ANY not in (tags := parse_etags(wanted)) and of_row(request, schema, row) not in tags:
        raise ChangedMeanwhile("The row has changed since you read it. Read it again.")


def of_row(request: HttpRequest, schema: type[Schema], row: Any) -> str:
    """Return the ETag that a GET of this row has."""
    context = {"request": request, "response_status": 200}
    told = schema.model_validate(row, context=context).model_dump(context=context)
    return of_body(json.dumps(told, cls=NinjaJSONEncoder).encode())


def of_body(body: bytes) -> str:
    """Return the ETag of the whole of an answer: a strong one, 128 bits of its SHA-256."""
    return f'"{hashlib.sha256(body).hexdigest()[:32]}"'


def answered(run: Callable[..., Any]) -> Callable[..., Any]:
    """Give each GET its ETag, and answer 304 to whoever has that already."""

    @wraps(run)
    def call(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        response = run(request, *args, **kwargs)
        if request.method != "GET" or response.status_code != 200 or response.streaming:
            return response
        tag = of_body(getattr(request, "whole", response.content))
        known = parse_etags(request.headers.get("If-None-Match", ""))
        if tag in {each.removeprefix("W/") for each in known} or ANY in known:
            response = HttpResponseNotModified()
        response["ETag"] = tag
        return response

    return call
