"""The access log: what was asked for, by the pattern of its address.

An address may itself open something, such as a candidate's link, so Daphne's own log would open it too.
"""

import logging
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, TextIO
from urllib.parse import unquote, urlsplit

from daphne.access import AccessLogGenerator
from django.conf import settings
from django.urls import Resolver404, URLPattern, resolve

from interview_platform.backends import logs
from interview_platform.backends.logs import shown

UNKNOWN = "unknown"
SOCKET_ACTION = "WS"
"""The start of Daphne's words for what a WebSocket does; of requests the log has the method."""


class RouteLog(AccessLogGenerator):
    """Daphne's access log with patterns instead of addresses; its lines are JSON if LOG_FORMAT says so."""

    sockets: Sequence[URLPattern] = ()
    """The patterns of all WebSockets."""

    def __init__(self, stream: TextIO) -> None:
        super().__init__(stream)
        self._formatter = logs.EcsFormatter() if settings.LOG_FORMAT == logs.JSON else None

    def __call__(self, protocol: str, action: str, details: Mapping[str, Any]) -> None:
        """Write one line; called by Daphne."""
        if self._formatter is None:
            super().__call__(protocol, action, details)
        elif action != "connecting":  # a line without an id: the next one says how it went
            self.stream.write(f"{self._formatter.format(_record(protocol, action, details))}\n")

    def write_entry(self, host: str, date: datetime, request: str, *args: Any, **kwargs: Any) -> None:
        """Write one line; called by Daphne with a method and an address as `request`."""
        action, _, address = request.partition(" ")
        route = _socket_route(address) if action.startswith(SOCKET_ACTION) else _route(address)
        super().write_entry(host, date, f"{action} {route}", *args, **kwargs)


def route_of(scope: Mapping[str, Any]) -> str:
    """Return the pattern of the address of an ASGI scope."""
    return _socket_route(scope["path"]) if scope["type"] == "websocket" else _route(scope["path"])


def _record(protocol: str, action: str, details: Mapping[str, Any]) -> logging.LogRecord:
    """Return what Daphne tells as a record in the names of Elastic's common schema."""
    is_socket = protocol == "websocket"
    method = "GET" if is_socket else details["method"]
    route = _socket_route(details["path"]) if is_socket else _route(details["path"])
    known = {
        "event.dataset": "interview_platform.access",
        "event.action": action,
        "http.request.method": method,
        "url.path": route,
        "http.response.status_code": details.get("status"),
        "http.response.bytes": details.get("size"),
        "event.duration": round(details["time_taken"] * 1e9) if "time_taken" in details else None,
    }
    return logging.makeLogRecord(
        {
            "name": __name__,
            "levelname": "INFO",
            "levelno": logging.INFO,
            "msg": f"{method} {route} {details.get('status', action)}",
            **{name: value for name, value in known.items() if value is not None},
        }
    )


def _socket_route(address: str) -> str:
    path = _path(address).lstrip("/")
    found = [str(socket.pattern) for socket in RouteLog.sockets if socket.pattern.match(path)]
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
