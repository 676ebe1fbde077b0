"""The middleware of Django and others, without their use of threads.

Under ASGI Django runs every hook of its own middleware in a thread. For middleware written only for threads
(whitenoise), it also runs everything behind it there. That costs twenty thread switches and 3 ms of CPU for
each request. Except those marked here, no hook waits for anything, so they run on the event loop. Nothing
else is changed; without an event loop they work as before.

`settings.MIDDLEWARE` names the originals, which `manage.py check --deploy` looks for. The web process loads
ours instead, by `INLINE` (interview_platform.server.request_threads).
"""

from typing import Any

from asgiref.sync import iscoroutinefunction, markcoroutinefunction, sync_to_async
from csp import middleware as csp_middleware
from django.conf import settings
from django.contrib.auth import middleware as auth
from django.contrib.messages import middleware as messages
from django.contrib.sessions import middleware as sessions
from django.http import HttpRequest, HttpResponsePermanentRedirect
from django.http.response import HttpResponseBase
from django.middleware import clickjacking, common, csrf, locale, security
from django.utils.deprecation import MiddlewareMixin
from django_prometheus import middleware as prometheus
from whitenoise import middleware as whitenoise  # type: ignore[import-untyped]


class Inline:
    """Mixin before a `MiddlewareMixin`, to run its hooks inline."""

    async def __acall__(self, request: HttpRequest) -> HttpResponseBase:
        process_request = getattr(self, "process_request", None)
        response = process_request(request) if process_request else None
        response = response or await self.get_response(request)  # type: ignore[attr-defined]
        if process_response := getattr(self, "process_response", None):
            if self._may_wait(request):
                process_response = sync_to_async(process_response)
                return await process_response(request, response)
            return process_response(request, response)
        return response

    def _may_wait(self, request: HttpRequest) -> bool:
        """Whether `process_response` accesses a store for this request."""
        return False


class PrometheusBeforeMiddleware(Inline, prometheus.PrometheusBeforeMiddleware):
    pass


class SecurityMiddleware(Inline, security.SecurityMiddleware):
    pass


class CSPMiddleware(Inline, csp_middleware.CSPMiddleware):
    pass


class NoStoreMiddleware(Inline, MiddlewareMixin):
    """Let nobody keep a response that does not say for how long: nearly all of them are personal.

    Transcripts, names and pages would stay on the disk of a shared computer or in a proxy.
    Source: RFC 9111, section 5.2.2.5.
    """

    def process_response(self, request: HttpRequest, response: HttpResponseBase) -> HttpResponseBase:
        """Add `Cache-Control: no-store` unless the view chose another."""
        response.headers.setdefault("Cache-Control", "no-store")
        return response


class WhiteNoiseMiddleware(whitenoise.WhiteNoiseMiddleware):
    async_capable = True

    def __init__(self, get_response: Any) -> None:
        super().__init__(get_response)
        if iscoroutinefunction(get_response):
            markcoroutinefunction(self)

    def __call__(self, request: HttpRequest) -> Any:
        return self._serve_or_pass(request) if iscoroutinefunction(self) else super().__call__(request)

    async def _serve_or_pass(self, request: HttpRequest) -> Any:
        file = await sync_to_async(self._file)(request) if self.autorefresh else self._file(request)
        if file is None:
            return await self.get_response(request)
        return await sync_to_async(self.serve)(file, request)

    def _file(self, request: HttpRequest) -> Any:
        path = request.path_info
        return self.find_file(path) if self.autorefresh else self.files.get(path)


class SessionMiddleware(Inline, sessions.SessionMiddleware):
    def _may_wait(self, request: HttpRequest) -> bool:
        return request.session.modified


class LocaleMiddleware(Inline, locale.LocaleMiddleware):
    pass


class CommonMiddleware(Inline, common.CommonMiddleware):
    """Django's, which refuses every Host that is not in ALLOWED_HOSTS, except for `settings.PROBES`.

    Kubernetes and Prometheus ask a pod by its address and cannot name another host.
    """

    def process_request(self, request: HttpRequest) -> HttpResponsePermanentRedirect | None:
        """Check the host, unless a probe asks."""
        return None if request.path_info in settings.PROBES else super().process_request(request)


class CsrfViewMiddleware(Inline, csrf.CsrfViewMiddleware):
    async def process_view(  # type: ignore[override]
        self, request: HttpRequest, callback: Any, *args: Any
    ) -> Any:
        check = super().process_view
        if request.method in ("GET", "HEAD", "OPTIONS", "TRACE") or getattr(callback, "csrf_exempt", False):
            return check(request, callback, *args)
        return await sync_to_async(check)(request, callback, *args)  # reads the form


class AuthenticationMiddleware(Inline, auth.AuthenticationMiddleware):
    pass


class MessageMiddleware(Inline, messages.MessageMiddleware):
    def _may_wait(self, request: HttpRequest) -> bool:
        kept = getattr(request, "_messages", None)
        return kept is not None and (kept.used or kept.added_new)


class XFrameOptionsMiddleware(Inline, clickjacking.XFrameOptionsMiddleware):
    pass


class PrometheusAfterMiddleware(Inline, prometheus.PrometheusAfterMiddleware):
    async def process_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        return super().process_view(request, *args, **kwargs)


INLINE = {
    f"{base.__module__}.{base.__name__}": f"{__name__}.{replacement.__name__}"
    for replacement in (
        PrometheusBeforeMiddleware,
        SecurityMiddleware,
        CSPMiddleware,
        WhiteNoiseMiddleware,
        SessionMiddleware,
        LocaleMiddleware,
        CsrfViewMiddleware,
        AuthenticationMiddleware,
        MessageMiddleware,
        XFrameOptionsMiddleware,
        PrometheusAfterMiddleware,
    )
    for base in replacement.__bases__
    if base is not Inline
}
"""Our class by the name of the original."""
