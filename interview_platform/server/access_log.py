"""The access log: what was asked for, by the pattern of its address.

An address may itself open something, such as a candidate's link, so Daphne's own log would open it too.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from urllib.parse import unquote, urlsplit

from daphne.access import AccessLogGenerator
from django.conf import settings
from django.urls import Resolver404, URLPattern, resolve

from interview_platform.backends.logs import shown

UNKNOWN = "unknown"
SOCKET_ACTION = "WS"
"""The start of Daphne's words for what a WebSocket does; of requests the log has the method."""


class RouteLog(AccessLogGenerator):
    """Daphne's access log with patterns instead of addresses."""

    sockets: Sequence[URLPattern] = ()
    """The patterns of all WebSockets."""

    def write_entry(self, host: str, date: datetime, request: str, *args: Any, **kwargs: Any) -> None:
        """Write one line; called by Daphne with a method and an address as `request`."""
        action, _, address = request.partition(" ")
        route = self._socket(address) if action.startswith(SOCKET_ACTION) else _route(address)
        super().write_entry(host, date, f"{action} {route}", *args, **kwargs)

    def _socket(self, address: str) -> str:
        path = _path(address).lstrip("/")
        found = [str(socket.pattern) for socket in self.sockets if socket.pattern.match(path)]
        return shown(found[0]) if found and found[0] else UNKNOWN  # "" takes what nothing else takes


def _route(address: str) -> str:
    path = _path(address)
    try:
        return shown(resolve(path).route)
    except Resolver404:
        static = settings.STATIC_URL
        return f"{static}{UNKNOWN}" if path.startswith(static) else UNKNOWN


def _path(address: str) -> str:
    """Return the path of an address, without host and query."""
    try:
        return unquote(urlsplit(address).path)
    except ValueError:  # such as an IPv6 address with one bracket
        return ""
