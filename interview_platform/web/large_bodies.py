"""Whose large request bodies are read: those of callers with a key or a session."""

from typing import Any

import redis
from django.conf import settings
from django.db import Error as DatabaseError
from django.http import HttpRequest, parse_cookie

from accounts.rest_keys import KeyRefused
from interview_platform.web import api_errors
from interview_platform.web.socket_access import caller_of

API = ("/api/", "/v1/")


async def refusal(scope: dict[str, Any]) -> bytes | None:
    """Return None if the body of this request may be read, else the body of a 401, in JSON.

    While a store is away it is read: the view then says what is wrong.
    """
    cookies = b"; ".join(value for name, value in scope["headers"] if name == b"cookie")
    try:
        caller = await caller_of(scope | {"cookies": parse_cookie(cookies.decode("latin-1"))}, needs=None)
    except (DatabaseError, redis.RedisError, KeyRefused):
        return None
    is_for_everybody = settings.VOICE["IS_PUBLIC"] and scope["path"].startswith(API)
    if is_for_everybody or (caller is not None and caller.owner):
        return None
    request = HttpRequest()
    request.path = scope["path"]
    return api_errors.unauthenticated(request).content
