"""Staff's pages use at most half of a process's database connections, so that candidates never wait for them.

A page of staff that waits for its turn holds no thread and no connection. Signing in has limits of its own
(`sign_in`), and keeps no connection while a password is hashed or an identity provider is asked.
"""

from asyncio import Semaphore
from typing import Any

from asgiref.sync import iscoroutinefunction
from django.conf import settings
from django.http import HttpRequest
from django.utils.decorators import sync_and_async_middleware

from voice.infra.redis_clients import of_loop

ADDRESSES = ("/admin/", "/django-rq/")
SIGN_IN = "/admin/login/"
APART = (SIGN_IN, "/admin/password_change/", "/admin/confirm/")


def at_once() -> int:
    """Return how many pages of staff a process serves at once."""
    return max(1, settings.DATABASES["default"]["OPTIONS"]["pool"]["max_size"] // 2)


@sync_and_async_middleware
def in_turn(get_response: Any) -> Any:
    """Middleware that lets staff's pages wait for their turn."""
    if not iscoroutinefunction(get_response):
        return get_response

    async def serve(request: HttpRequest) -> Any:
        if not request.path.startswith(ADDRESSES) or request.path.startswith(APART):
            return await get_response(request)
        async with of_loop("staff pages", lambda: Semaphore(at_once())):
            return await get_response(request)

    return serve
