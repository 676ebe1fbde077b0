"""Staff's pages are in the language and time zone of the profile, and show the chosen organisation."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from asgiref.sync import iscoroutinefunction, sync_to_async
from django.http import HttpRequest
from django.utils import timezone, translation
from django.utils.decorators import sync_and_async_middleware

from accounts.profile import CHOSEN
from accounts.sign_on.sessions import note_use
from interview_platform.web.staff_pages import ADDRESSES, SIGN_IN

OF_STAFF = (*ADDRESSES, "/playground", "/join/")


@sync_and_async_middleware
def of_profile(get_response: Any) -> Any:
    """Middleware that serves staff's pages as the profile says. Candidates' pages know no user."""
    if not iscoroutinefunction(get_response):

        def serve(request: HttpRequest) -> Any:
            if not _is_of_staff(request):
                return get_response(request)
            with as_wanted(_user(request)) as language:
                return _marked(get_response(request), language)

        return serve

    async def serve_async(request: HttpRequest) -> Any:
        if not _is_of_staff(request):
            return await get_response(request)
        with as_wanted(await sync_to_async(_user)(request)) as language:
            return _marked(await get_response(request), language)

    return serve_async


def _is_of_staff(request: HttpRequest) -> bool:
    return request.path.startswith(OF_STAFF) and not request.path.startswith(SIGN_IN)


def _user(request: HttpRequest) -> Any:
    """Return the user, read here once for the page as well, working in the chosen organisation."""
    if not request.user.is_authenticated:
        return None
    request.user.chosen = request.session.get(CHOSEN)
    note_use(request.session)
    return request.user


@contextmanager
def as_wanted(user: Any) -> Iterator[str]:
    """Use the language and time zone of a user; without one, what the browser and the settings say."""
    language = (user and user.language) or translation.get_language()
    with translation.override(language), timezone.override(_zone(user.time_zone) if user else None):
        yield language


def _zone(name: str) -> ZoneInfo | None:
    """Return a time zone; None for a name that this machine does not know."""
    try:
        return ZoneInfo(name) if name else None
    except (ZoneInfoNotFoundError, ValueError):
        return None


def _marked(response: Any, language: str) -> Any:
    response.headers["Content-Language"] = language
    return response
