"""The REST API: its routers and the authentication of callers.

It has `/api/v1/…`, the short forms beside it, `/stats`, and OpenAI's `/v1/…`, all described at `/api/docs`
and `/api/openapi.json`. `interview_platform.web.api_errors` builds the error responses.
"""

import hashlib
import json
from collections.abc import Iterator
from functools import cache
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.urls import URLPattern
from django.views.decorators.http import condition, require_safe
from ninja import NinjaAPI
from ninja.operation import Operation
from ninja.responses import NinjaJSONEncoder

from accounts.audit.visits import BY_OPERATION
from interview_platform.web import api_description, api_errors, rest_keys
from interviews.api.router import router as interviews_router
from interviews.api.sparse import SparseRenderer
from voice.web import openai_api
from voice.web.api import router as voice_router
from voice.web.api import short_router, stats_router

DESCRIPTION = """
Invite candidates to spoken interviews and read what they said; speak texts and write down speech.

Send your API key with every call, as `Authorization: Bearer ipk_…` or `X-API-Key: ipk_…`. Keys are made in
the admin under "API keys"; each sees one organisation, and each operation says which scope the key needs.
Lists take `limit` (at most 100) and `cursor`, and their `next` is the cursor of the next page. Times are ISO
8601 with a time zone. Every error is a problem document (RFC 9457) with a `code` for programs. The project's
docs/rest-api.md tells of ETags, Idempotency-Key, sparse fields and deprecation.

Addresses below `/v1/` are those of OpenAI's audio API: give its clients `base_url=…/v1` and your API key.
"""


class Api(NinjaAPI):
    """The API whose operations keep their ids when modules move: generated clients name their methods so."""

    def get_openapi_operation_id(self, operation: Operation) -> str:
        """Return app, door and function, as `interviews_api_invite` or `voice_openai_api_create_speech`."""
        module, name = operation.view_func.__module__, operation.view_func.__name__
        door = "openai_api" if module.endswith("openai_api") else "api"
        return f"{module.partition('.')[0]}_{door}_{name}"

    def get_openapi_schema(self, **options: Any) -> Any:
        """Describe the API, with what all operations share."""
        return api_description.complete(super().get_openapi_schema(**options))


api = Api(
    renderer=SparseRenderer(),
    title="Interviews and speech",
    version="1",
    description=DESCRIPTION,
    urls_namespace="api",
    docs_url="/api/docs",
    openapi_url="/api/openapi.json",
)
api.add_router("/api/v1", interviews_router)
api.add_router("/api/v1/voice", voice_router, auth=rest_keys.AUTH)
api.add_router("/api", short_router, auth=rest_keys.AUTH)
api.add_router("/v1", openai_api.router, auth=rest_keys.AUTH)
api.add_router("", stats_router, auth=rest_keys.AUTH)
api_errors.install(api)


@cache
def _document() -> tuple[bytes, str]:
    """Return the description of the API and its ETag. It is made once a process, in a sixth of a second."""
    body = json.dumps(api.get_openapi_schema(), cls=NinjaJSONEncoder).encode()
    return body, f'"{hashlib.sha256(body).hexdigest()[:32]}"'


@require_safe
@condition(etag_func=lambda request: _document()[1])
def _describe(request: HttpRequest) -> HttpResponse:
    return HttpResponse(
        _document()[0], content_type="application/json", headers={"Cache-Control": "no-cache"}
    )


def _views(pages: "list[Any]") -> Iterator[URLPattern]:
    """Return the addresses of the API; all are plain patterns, without includes."""
    for page in pages:
        view = _describe if page.name == "openapi-json" else page.callback
        answered: Any = api_errors.json_405(view)
        setattr(answered, BY_OPERATION, True)
        yield URLPattern(page.pattern, answered, page.default_args, page.name)


_patterns, _app_name, _namespace = api.urls
urls = (list(_views(_patterns)), _app_name, _namespace)
