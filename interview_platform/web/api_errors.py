"""Errors of the REST API: {"code", "detail"}, with "field" or "scope" if one of them is the cause.

The code is for programs, the detail for people. Below `/v1/` errors have OpenAI's format, which its clients
expect.
"""

import logging
from collections.abc import Callable
from functools import wraps
from typing import Any

import redis
from asgiref.sync import iscoroutinefunction
from django.db import DataError
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.http.response import HttpResponseBase
from django.views.decorators.csrf import csrf_exempt
from ninja import NinjaAPI
from ninja.errors import AuthenticationError, HttpError, ValidationError

from accounts.rest_keys import WrongScope
from interview_platform.backends.logs import route_of
from interviews.actions.errors import ActionRefused
from voice.errors import Unreachable, VoiceError
from voice.infra.tracebacks import place_of
from voice.web import http_errors, openai_api

logger = logging.getLogger(__name__)

CODES = {400: "bad_request", 403: "forbidden", 404: "not_found", 405: "method_not_allowed"}
REFUSAL_STATUS = {"bad_value": 422}  # every other refusal is a conflict with the current state
OPENAI = "/v1/"
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
        response = JsonResponse({"code": code, "detail": detail, **extra}, status=status)
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
    return _error(request, REFUSAL_STATUS.get(error.code, 409), error.code, error.detail, **error.extra)


def _invalid(request: HttpRequest, error: ValidationError) -> HttpResponse:
    places = [_place(item["loc"]) for item in error.errors]
    sentences = [f"{place}: {item['msg']}" for place, item in zip(places, error.errors, strict=True)]
    detail = " ".join(f"{sentence.rstrip('.')}." for sentence in sentences)
    return _error(request, 422, "bad_value", detail, field=places[0])


def _place(location: tuple[str | int, ...]) -> str:
    return ".".join(str(part) for part in location[1:] if part not in PARAMETERS)


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


@csrf_exempt  # nothing is changed, and the response is for programs
def unknown_address(request: HttpRequest, rest: str) -> HttpResponse:
    """Reply 404 to unknown addresses below /api/ and /v1/."""
    return _error(request, 404, "not_found", "There is no such address. See /api/docs for those there are.")


def json_405(view: Callable[..., Any]) -> Callable[..., Any]:
    """Make the reply to a wrong method JSON; Django Ninja's own is plain text."""

    def answer(request: HttpRequest, response: HttpResponseBase) -> HttpResponseBase:
        if response.status_code != 405 or response["Content-Type"] == "application/json":
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
