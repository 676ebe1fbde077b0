"""Every WebSocket address and its access rules."""

from collections.abc import Callable, Iterable
from typing import Any

from channels.sessions import CookieMiddleware
from django.urls import URLPattern
from django.urls.resolvers import RegexPattern

from interview_platform.web.socket_access import (
    FromOurPage,
    OriginUnlessKey,
    StaffAccess,
    VoiceAccess,
    refuse,
)
from interviews.routing import of_staff
from interviews.routing import websocket_urlpatterns as interviews
from voice.routing import websocket_urlpatterns as voice


def _voice_access(consumer: Any) -> Any:
    needs = consumer.consumer_class.needs
    return OriginUnlessKey(CookieMiddleware(VoiceAccess(consumer, needs=needs)))


def _staff_access(consumer: Any) -> Any:
    return FromOurPage(CookieMiddleware(StaffAccess(consumer)))


def _behind(access: Callable[[Any], Any], patterns: Iterable[URLPattern]) -> list[URLPattern]:
    return [URLPattern(pattern.pattern, access(pattern.callback)) for pattern in patterns]


websocket_urlpatterns = [
    *_behind(FromOurPage, interviews),
    *_behind(_staff_access, of_staff),
    *_behind(_voice_access, voice),
    URLPattern(RegexPattern(""), refuse),  # every other address
]
