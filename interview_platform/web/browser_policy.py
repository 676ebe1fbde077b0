"""What pages may do in the browser: the Content-Security-Policy by django-csp, and the Permissions-Policy.

Every address has the strict policy of the candidate's pages. The admin, the pages of django-rq and the API's
description are of libraries that need more; docs/adr/0020-content-security-policy.md says what and why.
"""

from collections.abc import Callable
from typing import Any, Final

from asgiref.sync import iscoroutinefunction
from csp.constants import NONCE, NONE, SELF, UNSAFE_EVAL, UNSAFE_INLINE
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.utils.decorators import sync_and_async_middleware

ADMIN: Final = {
    # Alpine evaluates the expressions in the theme's markup.
    "script-src": [SELF, NONCE, UNSAFE_EVAL],
    # The theme, htmx and Select2 write style attributes, which cannot run scripts.
    "style-src-attr": [UNSAFE_INLINE],
}
QUEUES: Final = {"script-src": [SELF, UNSAFE_INLINE, UNSAFE_EVAL], "style-src": [SELF, UNSAFE_INLINE]}
API_DOCS: Final = {"style-src": [SELF, UNSAFE_INLINE]}
REPLACED: Final = {"/admin/": ADMIN, "/django-rq/": QUEUES, "/api/docs": API_DOCS}
"""Directives that differ from the strict policy, by the beginning of the path."""

RECORDING: Final = ("/i/", "/playground")
"""Pages that use the microphone."""
UNUSED: Final = (
    "accelerometer=(), autoplay=(self), camera=(), display-capture=(), geolocation=(), gyroscope=(), "
    "magnetometer=(), midi=(), payment=(), usb=()"
)


def strict(*, connect: list[str], media: list[str]) -> dict[str, Any]:
    """Return the policy of the candidate's pages.

    connect, media: further origins, of WebSockets and of audio.
    """
    return {
        "default-src": [NONE],
        "script-src": [SELF, NONCE],
        "style-src": [SELF, NONCE],
        "img-src": [SELF, "data:"],
        "font-src": [SELF],
        "media-src": [SELF, "blob:", *media],
        "connect-src": [SELF, *connect, *media],
        "worker-src": [SELF],
        "manifest-src": [SELF],
        "base-uri": [NONE],
        "form-action": [SELF],
        "frame-ancestors": [NONE],
    }


def permissions_of(path: str) -> str:
    """Return the Permissions-Policy of a page."""
    microphone = "(self)" if path.startswith(RECORDING) else "()"
    return f"{UNUSED}, microphone={microphone}"


@sync_and_async_middleware
def by_address(get_response: Any) -> Callable[..., Any]:
    """Middleware inside django-csp's: it sets the Permissions-Policy, and an address's own directives."""

    def told(request: HttpRequest, response: HttpResponseBase) -> HttpResponseBase:
        response["Permissions-Policy"] = permissions_of(request.path)
        for beginning, directives in REPLACED.items():
            if request.path.startswith(beginning):
                setattr(response, "_csp_replace", directives)  # noqa: B010  as django-csp's decorators do
        return response

    if iscoroutinefunction(get_response):

        async def serve(request: HttpRequest) -> HttpResponseBase:
            return told(request, await get_response(request))
    else:

        def serve(request: HttpRequest) -> HttpResponseBase:  # type: ignore[misc]
            return told(request, get_response(request))

    return serve
