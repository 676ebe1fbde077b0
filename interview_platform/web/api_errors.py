"""Errors of the REST API: problem documents (RFC 9457), with `errors`, `field` or `scope` as the cause.

The code is for programs, the detail for people. Below `/v1/` errors have OpenAI's format, which its clients
expect.
"""

import logging
import re
from collections.abc import Callable
from functools import wraps
from typing import Any

import redis
from asgiref.sync import iscoroutinefunction
from django.db import DataError
from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_safe
from ninja import NinjaAPI
from ninja.errors import AuthenticationError, HttpError, ValidationError

from accounts.rest_keys import WrongScope
from interview_platform.backends.logs import route_of
from interviews.actions.errors import ActionRefused
from voice.errors import Unreachable, VoiceError
from voice.infra.tracebacks import place_of
from voice.web import http_errors, openai_api, problems

logger = logging.getLogger(__name__)

CODES = {400: "bad_request", 403: "forbidden", 404: "not_found", 405: "method_not_allowed"}
REFUSAL_STATUS = {
    **dict.fromkeys(("bad_value", "key_reused"), 422),
    "changed_meanwhile": 412,
    "condition_needed": 428,
    "answer_erased": 410,
    "test_key": 403,
}
"""Every other refusal is a conflict with the current state."""
BODIES = ("POST", "PUT", "PATCH")
NAMED = re.compile(r"([A-Za-z][\w.-]*): (.+)", re.DOTALL)
"""How a refused action names a value that is not allowed. Headers have capital letters."""
OPENAI, JSON = "/v1/", "application/json"
PARAMETERS = ("payload", "options", "page", "wanted")
"""Our parameter names in Django Ninja's error locations, after the source (body, query, …)."""


def install(api: NinjaAPI) -> None:
    """Register the handlers for every error of `api`."""
    for kind, handler in HANDLERS.items():
        api.add_exception_handler(kind, handler)


def _error(request: HttpRequest, status: int, code: str, detail: str, **extra: Any) -> HttpResponse:
    if request.path.startswith(OPENAI):
        response = openai_api.error(status, code, detail, extra.get("field", ""))
    else:
        response = http_errors.as_problem(status, code, detail, **extra)
    if status == 401:
        response["WWW-Authenticate"] = "Bearer"
    return response


def _speech_failed(request: HttpRequest, error: VoiceError) -> HttpResponse:
    field = http_errors.field_of(error)
    extra = {"field": field} if field else {}
    response = _error(request, http_errors.status_of(error), error.code, str(error), **extra)
    if retry_after_s := http_errors.retry_after_s(error):
        response["Retry-After"] = str(retry_after_s)
    for name, value in getattr(error, "headers", {}).items():
        response[name] = value
    return response


def _unreachable(request: HttpRequest, error: redis.RedisError) -> HttpResponse:
    return _speech_failed(request, Unreachable())


def _unread(request: HttpRequest, error: Exception) -> HttpResponse:
    return _speech_failed(request, http_errors.unreadable(error))


def _failed(request: HttpRequest, error: Exception) -> HttpResponse:
    # Not what it says: it may quote what somebody said.
    place = place_of(error.__traceback__)
    logger.error("%s %s: %s in %s", request.method, route_of(request), type(error).__name__, place)
    return _error(request, 500, "internal_error", "Something failed on our side; ask again.")


def _refused(request: HttpRequest, error: ActionRefused) -> HttpResponse:
    extra = error.extra
    named = NAMED.fullmatch(error.detail) if error.code == "bad_value" else None
    if named and "errors" not in extra:
        source = "body" if named[1].islower() else "header"
        places = [_place(request, tuple(named[1].split(".")), named[2], source=source)]
        extra = {**extra, "errors": places, "field": named[1]}
    response = _error(request, REFUSAL_STATUS.get(error.code, 409), error.code, error.detail, **extra)
    if "retry_after_s" in error.extra:
        response["Retry-After"] = str(error.extra["retry_after_s"])
    return response


def _invalid(request: HttpRequest, error: ValidationError) -> HttpResponse:
    """Return 422 with every value that is not as described."""
    places = [
        _place(request, _path(item["loc"]), item["msg"], source=item["loc"][0]) for item in error.errors
    ]
    detail = " ".join(f"{place['field']}: {place['detail'].rstrip('.')}." for place in places)
    return _error(request, 422, "bad_value", detail, errors=places, field=places[0]["field"])


def _path(location: tuple[str | int, ...]) -> tuple[str, ...]:
    return tuple(str(part) for part in location[1:] if part not in PARAMETERS)


def _place(
    request: HttpRequest, path: tuple[str, ...], detail: str, *, source: object = "body"
) -> dict[str, str]:
    """Return one of `errors`; a value of the body also as a JSON pointer (RFC 6901)."""
    place = {"field": ".".join(path), "detail": detail}
    if source == "body" and request.method in BODIES:
        parts = (part.replace("~", "~0").replace("/", "~1") for part in path)
        place["pointer"] = "#" + "".join(f"/{part}" for part in parts)
    return place


def _http_error(request: HttpRequest, error: HttpError) -> HttpResponse:
    return _error(request, error.status_code, CODES.get(error.status_code, "error"), str(error))


def _wrong_scope(request: HttpRequest, error: WrongScope) -> HttpResponse:
    return _error(request, 403, "forbidden", str(error), scope=error.scope)


def unauthenticated(request: HttpRequest, error: AuthenticationError | None = None) -> HttpResponse:
    """Return the error for a call without a valid key."""
    detail = "Send a valid API key, as Authorization: Bearer ipk_… or as X-API-Key."
    return _error(request, 401, "unauthenticated", detail)


def _not_found(request: HttpRequest, error: Http404) -> HttpResponse:
    return _error(request, 404, "not_found", str(error) or "There is nothing at this address.")


def value_that_cannot_be(request: HttpRequest, error: DataError | None = None) -> HttpResponse:
    """Return the error for a value that no column can hold."""
    return _error(
        request, 422, "bad_value", "A value cannot be stored: a NUL byte, or a number out of range."
    )


HANDLERS: dict[type[Exception], Callable[[HttpRequest, Any], HttpResponse]] = {
    VoiceError: _speech_failed,
    redis.RedisError: _unreachable,
    **dict.fromkeys(http_errors.BOUNDS, _unread),
    DataError: value_that_cannot_be,
    Exception: _failed,
    ActionRefused: _refused,
    ValidationError: _invalid,
    WrongScope: _wrong_scope,
    HttpError: _http_error,
    AuthenticationError: unauthenticated,
    Http404: _not_found,
}


@require_safe
def explain(request: HttpRequest, code: str) -> HttpResponse:
    """Say what a kind of problem means: the address is its `type`."""
    if code not in problems.PROBLEMS:
        raise Http404
    text = f"{problems.title(code)} ({code})\n\n{problems.PROBLEMS[code]}\n"
    return HttpResponse(text, content_type="text/plain; charset=utf-8")


@csrf_exempt  # nothing is changed, and the response is for programs
def unknown_address(request: HttpRequest, rest: str) -> HttpResponse:
    """Reply 404 to unknown addresses below /api/ and /v1/."""
    return _error(request, 404, "not_found", "There is no such address. See /api/docs for those there are.")


def json_405(view: Callable[..., Any]) -> Callable[..., Any]:
    """Make the reply to a wrong method JSON; Django Ninja's own is plain text."""

    def answer(request: HttpRequest, response: HttpResponseBase) -> HttpResponseBase:
        if response.status_code != 405 or response["Content-Type"] in (problems.CONTENT_TYPE, JSON):
            return response
        allowed = response["Allow"]
        refusal = _error(request, 405, "method_not_allowed", f"This address takes {allowed} only.")
        refusal["Allow"] = allowed
        return refusal

    if iscoroutinefunction(view):

        async def call(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
            return answer(request, await view(request, *args, **kwargs))
    else:

        def call(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:  # type: ignore[misc]
            return answer(request, view(request, *args, **kwargs))

    return wraps(view)(call)
