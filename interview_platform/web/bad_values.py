"""Values that PostgreSQL refuses, wherever they were sent: 400 instead of an error of ours.

Forms and schemas check what they know. But a NUL byte or an absurd number may also come in a path or a query,
and PostgreSQL finds every such value.
"""

from django.db import DataError
from django.http import HttpRequest, HttpResponse
from django.utils.deprecation import MiddlewareMixin
from django.views.defaults import bad_request


class BadValuesMiddleware(MiddlewareMixin):
    """Answers 400 where a page failed because the database refused a value."""

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        """Return the page for the error; None for all others."""
        return bad_request(request, exception) if isinstance(exception, DataError) else None
