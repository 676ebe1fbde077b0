"""The REST API: how callers are known, how errors look, and which routers it is made of.

`/api/v1/…`, described at `/api/docs` and `/api/openapi.json`. Every error is {"code", "detail"}: the code is
for programs, the detail for people.
"""

from typing import Any

from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from ninja import NinjaAPI
from ninja.errors import AuthenticationError, HttpError, ValidationError

from interviews.actions.errors import ActionRefused
from interviews.api import router as interviews_router

DESCRIPTION = """
Invite candidates to spoken interviews and read what they said.

Send your API key with every call, as `Authorization: Bearer ipk_…` or `X-API-Key: ipk_…`. Keys are made in
the admin under "API keys"; each sees one organisation. Lists take `limit` (at most 100) and `offset` and say
`count`. Times are ISO 8601 with a time zone. Every error is `{"code": …, "detail": …}`.
"""
CODES = {400: "bad_request", 403: "forbidden", 404: "not_found", 405: "method_not_allowed"}
REFUSAL_STATUS = {"bad_value": 422}  # every other refusal is a conflict with the state of things

api = NinjaAPI(title="Interviews", version="1", description=DESCRIPTION, urls_namespace="api")
api.add_router("/v1", interviews_router)


def _error(status: int, code: str, detail: str, **extra: Any) -> HttpResponse:
    response = JsonResponse({"code": code, "detail": detail, **extra}, status=status)
    if status == 401:
        response["WWW-Authenticate"] = "Bearer"
    return response


@api.exception_handler(ActionRefused)
def _refused(request: HttpRequest, error: ActionRefused) -> HttpResponse:
    return _error(REFUSAL_STATUS.get(error.code, 409), error.code, error.detail, **error.extra)


@api.exception_handler(ValidationError)
def _invalid(request: HttpRequest, error: ValidationError) -> HttpResponse:
    places = [
        ".".join(str(part) for part in item["loc"] if part not in ("body", "payload"))
        for item in error.errors
    ]
    sentences = [f"{place}: {item['msg']}" for place, item in zip(places, error.errors, strict=True)]
    return _error(422, "bad_value", " ".join(f"{sentence.rstrip('.')}." for sentence in sentences))


@api.exception_handler(HttpError)
def _http_error(request: HttpRequest, error: HttpError) -> HttpResponse:
    return _error(error.status_code, CODES.get(error.status_code, "error"), str(error))


@api.exception_handler(AuthenticationError)
def _unauthenticated(request: HttpRequest, error: AuthenticationError) -> HttpResponse:
    return _error(
        401, "unauthenticated", "Send a valid API key, as Authorization: Bearer ipk_… or as X-API-Key."
    )


@api.exception_handler(Http404)
def _not_found(request: HttpRequest, error: Http404) -> HttpResponse:
    return _error(404, "not_found", str(error) or "There is nothing at this address.")


def unknown_address(request: HttpRequest, rest: str) -> HttpResponse:
    """Everything below /api/ that the API does not have."""
    return _error(404, "not_found", "There is no such address. See /api/docs for those there are.")
