"""Steps before any work on an HTTP request: its caller's allowance, its form."""

import asyncio
from collections.abc import Callable
from functools import wraps
from typing import Any, cast

from asgiref.sync import iscoroutinefunction
from django.http import HttpRequest
from django.http.response import HttpResponseBase

from voice.callers import Caller
from voice.capacity import rate_limits
from voice.capacity.allowances import Allowance
from voice.web.http_errors import BOUNDS, unreadable


class VoiceHttpRequest(HttpRequest):
    """A request with an authenticated caller."""

    auth: Caller
    allowance: Allowance


async def admit(request: HttpRequest, caller: Caller) -> None:
    """Count the request, then read its form in a thread: a large one would block all other requests.

    Raises:
        RateLimited: the caller has sent too many requests.
        RequestRefused: the form cannot be read.
    """
    cast(VoiceHttpRequest, request).allowance = await rate_limits.count_request(caller)
    if request.content_type == "multipart/form-data":
        await asyncio.to_thread(_read_form, request)


def _read_form(request: HttpRequest) -> None:
    try:
        _ = request.FILES
    except BOUNDS as error:
        raise unreadable(error) from error


def with_allowance(view: Callable[..., Any]) -> Callable[..., Any]:
    """Add the caller's remaining requests to every answer of a view."""
    if not iscoroutinefunction(view):

        @wraps(view)
        def answer_in_thread(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
            return _told(request, view(request, *args, **kwargs))

        return answer_in_thread

    @wraps(view)
    async def answer(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        return _told(request, await view(request, *args, **kwargs))

    return answer


def _told(request: HttpRequest, response: HttpResponseBase) -> HttpResponseBase:
    if allowance := getattr(request, "allowance", None):
        for name, value in allowance.headers.items():
            response[name] = value
    return response
