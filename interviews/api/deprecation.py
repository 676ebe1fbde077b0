"""Operations that will go: told in every answer, and in the description.

    @router.get("/old", …)
    @deprecation.deprecated(since=date(2027, 1, 1), ends=date(2028, 1, 1), explained_at="/docs/…")
    @scopes.needs(…)

Source: RFC 9745 (Deprecation), RFC 8594 (Sunset).
"""

from collections.abc import Callable
from datetime import UTC, date, datetime
from functools import wraps
from typing import Any, TypeVar

from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.utils.http import http_date
from ninja.decorators import decorate_view
from ninja.operation import Operation
from ninja.utils import contribute_operation_callback

View = TypeVar("View", bound=Callable[..., Any])


def deprecated(*, since: date, ends: date, explained_at: str) -> Callable[[View], View]:
    """Say of an operation since when it should not be used, and on which day it ends at the earliest.

    explained_at: the address of what to use instead.
    """
    headers = {
        "Deprecation": f"@{_seconds(since)}",
        "Sunset": http_date(_seconds(ends)),
        "Link": f'<{explained_at}>; rel="deprecation"',
    }

    def declare(view: View) -> View:
        contribute_operation_callback(view, _describe)
        return decorate_view(told)(view)

    def told(run: Callable[..., Any]) -> Callable[..., Any]:
        @wraps(run)
        def call(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
            response = run(request, *args, **kwargs)
            for name, value in headers.items():
                response[name] = value
            return response

        return call

    return declare


def _describe(operation: Operation) -> None:
    operation.deprecated = True


def _seconds(day: date) -> int:
    return int(datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp())
