"""Values that cannot be: 400 instead of an error of ours, whatever page they were sent to.

Forms and schemas check what they know. A NUL byte in a path or a query is refused before any page is called.
What else PostgreSQL refuses, such as a number out of range, is noticed when it does.
"""

from django.core.paginator import InvalidPage
from django.db import DataError
from django.http import HttpRequest, HttpResponse
from django.utils.deprecation import MiddlewareMixin
from django.views.defaults import bad_request

from interview_platform.backends.middleware import Inline
from interview_platform.web.api_errors import value_that_cannot_be

APIS = ("/api/", "/v1/", "/stats")
"""Their clients expect errors in JSON."""


class BadValuesMiddleware(Inline, MiddlewareMixin):
    """Answers 400 where a value cannot be."""

    def process_request(self, request: HttpRequest) -> HttpResponse | None:
        """Refuse NUL bytes: PostgreSQL takes none."""
        has_nul = "\0" in request.path or "%00" in request.META.get("QUERY_STRING", "")
        if has_nul and request.path.startswith(APIS):
            return value_that_cannot_be(request)
        return bad_request(request, ValueError()) if has_nul else None

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        """Return the page for a value that was refused; None for all other errors."""
        return bad_request(request, exception) if isinstance(exception, (DataError, InvalidPage)) else None
