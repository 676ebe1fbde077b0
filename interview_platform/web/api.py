"""The REST API: how callers are known, how errors look, and which routers it is made of.

`/api/v1/…` and the short forms beside it, `/stats`, and OpenAI's `/v1/…`; all described at `/api/docs` and
`/api/openapi.json`. Every error is {"code", "detail"}, with "field" where one is to blame: the code is for
programs, the detail for people. Below `/v1/` errors have OpenAI's form, so that its clients know them.
"""

import logging
import traceback
from collections.abc import Callable
from functools import wraps
from typing import Any, cast

import redis
from asgiref.sync import iscoroutinefunction
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.http.response import HttpResponseBase
from django.urls import URLPattern
from django.views.decorators.csrf import csrf_exempt
from ninja import NinjaAPI
from ninja.errors import AuthenticationError, HttpError, ValidationError

from interview_platform.web.callers import StaffSession, VoiceHeaderKey, VoiceKey
from interviews.actions.errors import ActionRefused
from interviews.api.router import router as interviews_router
from voice.errors import Unreachable, VoiceError
from voice.web import openai_api, responses
from voice.web.api import router as voice_router
from voice.web.api import short_router, stats_router

logger = logging.getLogger(__name__)

DESCRIPTION = """
Invite candidates to spoken interviews and read what they said; speak texts and write down speech.

Send your API key with every call, as `Authorization: Bearer ipk_…` or `X-API-Key: ipk_…`. Keys are made in
the admin under "API keys"; each sees one organisation. Lists take `limit` (at most 100) and `offset` and say
`count`. Times are ISO 8601 with a time zone. Every error is `{"code": …, "detail": …}`, with `field` where
one is to blame.

Addresses below `/v1/` are those of OpenAI's audio API: give its clients `base_url=…/v1` and your API key.
"""
CODES = {400: "bad_request", 403: "forbidden", 404: "not_found", 405: "method_not_allowed"}
REFUSAL_STATUS = {"bad_value": 422}  # every other refusal is a conflict with the state of things
SPEECH_AUTH = [VoiceKey(), VoiceHeaderKey(), StaffSession()]
OPENAI = "/v1/"
PARAMETERS = ("payload", "options", "page", "wanted")
"""Names of our own in the places that Django Ninja tells, after where it looked (body, query, …)."""

api = NinjaAPI(
    title="Interviews and speech",
    version="1",
    description=DESCRIPTION,
    urls_namespace="api",
    docs_url="/api/docs",
    openapi_url="/api/openapi.json",
)
api.add_router("/api/v1", interviews_router)
api.add_router("/api/v1/voice", voice_router, auth=SPEECH_AUTH)
api.add_router("/api", short_router, auth=SPEECH_AUTH)
api.add_router("/v1", openai_api.router, auth=SPEECH_AUTH)
api.add_router("", stats_router, auth=SPEECH_AUTH)


def _error(request: HttpRequest, status: int, code: str, detail: str, **extra: Any) -> HttpResponse:
    if request.path.startswith(OPENAI):
        response = openai_api.error(status, code, detail, extra.get("field", ""))
    else:
        response = JsonResponse({"code": code, "detail": detail, **extra}, status=status)
    if status == 401:
        response["WWW-Authenticate"] = "Bearer"
    return response


@api.exception_handler(VoiceError)
def _speech_failed(request: HttpRequest, error: VoiceError) -> HttpResponse:
    field = responses.field_of(error)
    extra = {"field": field} if field else {}
    response = _error(request, responses.status_of(error), error.code, str(error), **extra)
    if retry_after_s := responses.retry_after_s(error):
        response["Retry-After"] = str(retry_after_s)
    return response


@api.exception_handler(redis.RedisError)
def _unreachable(request: HttpRequest, error: redis.RedisError) -> HttpResponse:
    return _speech_failed(request, Unreachable())


for unread in responses.BOUNDS:

    @api.exception_handler(unread)
    def _unread(request: HttpRequest, error: Exception) -> HttpResponse:
        return _speech_failed(request, responses.unreadable(error))


@api.exception_handler(Exception)
def _failed(request: HttpRequest, error: Exception) -> HttpResponse:
    # Not what it says: it may quote what somebody said.
    place = traceback.extract_tb(error.__traceback__)[-1]
    logger.error("%s %s: %s in %s:%s", request.method, request.path, type(error).__name__, *place[:2])
    return _error(request, 500, "internal_error", "Something failed on our side; ask again.")


@api.exception_handler(ActionRefused)
def _refused(request: HttpRequest, error: ActionRefused) -> HttpResponse:
    return _error(request, REFUSAL_STATUS.get(error.code, 409), error.code, error.detail, **error.extra)


@api.exception_handler(ValidationError)
def _invalid(request: HttpRequest, error: ValidationError) -> HttpResponse:
    places = [_place(item["loc"]) for item in error.errors]
    sentences = [f"{place}: {item['msg']}" for place, item in zip(places, error.errors, strict=True)]
    detail = " ".join(f"{sentence.rstrip('.')}." for sentence in sentences)
    return _error(request, 422, "bad_value", detail, field=places[0])


def _place(location: tuple[str | int, ...]) -> str:
    return ".".join(str(part) for part in location[1:] if part not in PARAMETERS)


@api.exception_handler(HttpError)
def _http_error(request: HttpRequest, error: HttpError) -> HttpResponse:
    return _error(request, error.status_code, CODES.get(error.status_code, "error"), str(error))


@api.exception_handler(AuthenticationError)
def _unauthenticated(request: HttpRequest, error: AuthenticationError) -> HttpResponse:
    detail = "Send a valid API key, as Authorization: Bearer ipk_… or as X-API-Key."
    return _error(request, 401, "unauthenticated", detail)


@api.exception_handler(Http404)
def _not_found(request: HttpRequest, error: Http404) -> HttpResponse:
    return _error(request, 404, "not_found", str(error) or "There is nothing at this address.")


@csrf_exempt  # there is nothing to protect, and the answer is for programs
def unknown_address(request: HttpRequest, rest: str) -> HttpResponse:
    """Everything below /api/ and /v1/ that the API does not have."""
    return _error(request, 404, "not_found", "There is no such address. See /api/docs for those there are.")


def _json_405(view: Callable[..., Any]) -> Callable[..., Any]:
    """Django Ninja answers a wrong method in plain text."""

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


_patterns, _app_name, _namespace = api.urls
urls = (
    [
        URLPattern(page.pattern, _json_405(page.callback), page.default_args, page.name)
        for page in cast("list[Any]", _patterns)  # all are patterns, none resolves further
    ],
    _app_name,
    _namespace,
)
