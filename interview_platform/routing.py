"""Every WebSocket address and its access rules."""

from collections.abc import Callable, Iterable
from typing import Any

from channels.security.websocket import AllowedHostsOriginValidator
from channels.sessions import CookieMiddleware
from django.urls import URLPattern

from interview_platform.web.socket_access import OriginUnlessKey, VoiceAccess
from interviews.routing import websocket_urlpatterns as interviews
from voice.routing import websocket_urlpatterns as voice


def _voice_access(consumer: Any) -> Any:
    return OriginUnlessKey(CookieMiddleware(VoiceAccess(consumer)))


def _behind(access: Callable[[Any], Any], patterns: Iterable[URLPattern]) -> list[URLPattern]:
    return [URLPattern(pattern.pattern, access(pattern.callback)) for pattern in patterns]


websocket_urlpatterns = [
    *_behind(AllowedHostsOriginValidator, interviews),
    *_behind(_voice_access, voice),
]
