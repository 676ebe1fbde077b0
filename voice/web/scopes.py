"""The scope of each operation: what the caller's key must have been issued for.

An operation declares it beside its address; the project that mounts the router compares it with the key, from
`scope_of(request)`, and describes it in OpenAPI.
"""

from collections.abc import Callable
from functools import partial, wraps
from typing import Any, Final, TypeVar

from asgiref.sync import iscoroutinefunction
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from ninja.decorators import decorate_view
from ninja.operation import Operation
from ninja.utils import contribute_operation_callback

View = TypeVar("View", bound=Callable[..., Any])

IN_DESCRIPTION: Final = "x-scope"
"""Where the description of the API holds it, until the project turns it into `security`."""


def needs(scope: str) -> Callable[[View], View]:
    """Declare the scope that an operation needs, as "results:read". Stands below the operation's address."""

    def declare(view: View) -> View:
        contribute_operation_callback(view, describe)
        return decorate_view(partial(told, view))(view)

    def describe(operation: Operation) -> None:
        operation.openapi_extra = {**(operation.openapi_extra or {}), IN_DESCRIPTION: scope}

    def told(view: Callable[..., Any], run: Callable[..., Any]) -> Callable[..., Any]:
        """Put the scope and the operation into the request, before its key is looked at."""
        if iscoroutinefunction(run):

            @wraps(run)
            async def call(request: Any, *args: Any, **kwargs: Any) -> HttpResponseBase:
                request.scope_needed, request.operation = scope, view
                return await run(request, *args, **kwargs)

            return call

        @wraps(run)
        def call_in_thread(request: Any, *args: Any, **kwargs: Any) -> HttpResponseBase:
            request.scope_needed, request.operation = scope, view
            return run(request, *args, **kwargs)

        return call_in_thread

    return declare


def scope_of(request: HttpRequest) -> str:
    """Return the scope that the operation of this request needs. One that declares none fails."""
    return request.scope_needed  # type: ignore[attr-defined]
