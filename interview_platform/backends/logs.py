"""Logs without secrets: nothing that opens anything is ever written to them.

Every record of every library goes through one handler, and its formatter removes secrets from the finished
text, with the traceback. Python's own warnings and uncaught exceptions become records too.
"""

import json
import logging
import logging.config
import os
import re
import socket
import sys
import threading
from collections.abc import Iterator, Mapping
from types import TracebackType
from typing import Any
from urllib.parse import unquote, urlsplit

import ecs_logging
from django.conf import settings

from voice.infra import correlation, tracing

logger = logging.getLogger(__name__)

LINE, JSON = "line", "json"
"""The values of LOG_FORMAT."""
SERVICE = "interview-platform"
FIELDS = ("event.", "http.", "labels.", "url.")
"""What loggers may add to a record begins so."""
FREE = ("message", "error", "http", "labels", "url")
"""The fields of a line that may hold anything; of the others, the program has a few words."""
_OWN = frozenset(vars(logging.makeLogRecord({})))
GONE = "…"
SHORTEST_SECRET = 8
"""A shorter value of a setting is no secret, but a word that may occur anywhere."""
_NAMES = r"\w*(?:token|password|passwd|secret|signature|credential|api[_-]?key|session_?(?:key|id))\w*"
_HEADERS = r"(?:proxy-)?authorization|(?:set-)?cookie|x-api-key|x-csrftoken|sec-websocket-protocol"
_PATTERNS = (
    # What follows these in an address opens an interview, a recording or an organisation.
    (re.compile(r"(?<!\w)(i|join|ws/interviews|recordings)/[^/?\s\"'<>…]+"), rf"\1/{GONE}"),
    (re.compile(r"://[^/\s:@]*:[^\s@]+@"), f"://{GONE}@"),
    (re.compile(rf"(?i)\b({_HEADERS})(['\"]?\s*[:=,]\s*)(?:b?'[^']*'|b?\"[^\"]*\"|.*)"), rf"\1\2{GONE}"),
    (re.compile(r"(?i)\b(bearer)\s+\S+|\b(basic)\s+[a-z0-9+/=]{12,}"), GONE),
    (re.compile(rf"(?i)\b({_NAMES})(['\")\]]*\s*[:=]\s*[\"'(]*)[^\s\"'&,;<>(){{}}…]+"), rf"\1\2{GONE}"),
    (re.compile(r"\b(?:ipk_|sk-)[\w-]+"), GONE),
    # Random words: of letters in both cases and digits, or as long as a session's key and not hexadecimal.
    (re.compile(r"(?<![\w-])(?=[\w-]*[0-9])(?=[\w-]*[a-z])(?=[\w-]*[A-Z])[A-Za-z0-9_-]{20,}(?![\w-])"), GONE),
    (re.compile(r"\b(?=[a-z]*[0-9])(?=[0-9a-z]*[g-z])[0-9a-z]{32}\b"), GONE),
)
_NAMES_OF_SETTINGS = re.compile("TOKEN|KEY|SECRET|PASS", re.IGNORECASE)


def configure(config: dict[str, Any]) -> None:
    """Set up logging in this process; Django calls it as `LOGGING_CONFIG`."""
    logging.config.dictConfig(config)
    logging.captureWarnings(True)
    sys.excepthook = _log_uncaught
    threading.excepthook = _log_uncaught_in_thread
    sys.unraisablehook = _log_unraisable


def without_secrets(text: str) -> str:
    """Return the text with an ellipsis for everything that may open something."""
    for pattern, replacement in _PATTERNS:
        text = pattern.sub(replacement, text)
    return text


class SecretFreeFormatter(logging.Formatter):
    """Format a record, with its traceback, without secrets.

    The path of a request becomes the pattern of its address, and passwords and keys among the settings are
    known by their values. Whatever else looks like a secret is replaced as well.
    """

    _values: tuple[str, ...] | None = None

    def format(self, record: logging.LogRecord) -> str:
        """Return the text of the record."""
        return self.cleaned(super().format(record))

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802  logging's name
        """Return the line of the record, which `format` asks for."""
        record.message = _with_pattern(record, record.message)
        return super().formatMessage(record)

    def cleaned(self, text: str) -> str:
        """Return the text without secrets, and without those of the settings."""
        if self._values is None:
            self._values = tuple(sorted(_secret_values(), key=len, reverse=True))
        for value in self._values:
            text = text.replace(value, GONE)
        return without_secrets(text)


class EcsFormatter(SecretFreeFormatter):
    """Format a record as one line of JSON in the names of Elastic's common schema (docs/logs.md).

    Of what a logger adds with `extra`, only fields of the schema are written: libraries add whole requests.
    """

    def __init__(self) -> None:
        super().__init__()
        self._ecs = ecs_logging.StdlibFormatter(exclude_fields=["log.original"], extra=_service())

    def format(self, record: logging.LogRecord) -> str:
        """Return the line of the record."""
        message = _with_pattern(record, record.getMessage())
        known = {
            name: value for name, value in vars(record).items() if name in _OWN or name.startswith(FIELDS)
        }
        plain = logging.makeLogRecord(_correlated() | known | {"msg": message, "args": ()})
        fields = self._ecs.format_to_ecs(plain)
        cleaned = {name: self._cleaned_all(fields[name]) for name in FREE if name in fields}
        return json.dumps(fields | cleaned, ensure_ascii=False)

    def _cleaned_all(self, value: Any) -> Any:
        """Clean each text of its own: in the finished line the patterns would run into the next field."""
        if isinstance(value, dict):
            return {name: self._cleaned_all(each) for name, each in value.items()}
        return self.cleaned(value) if isinstance(value, str) else value


def _with_pattern(record: logging.LogRecord, message: str) -> str:
    """Return the message with the pattern of the request's address instead of its path."""
    if request := getattr(record, "request", None):
        for path in _paths(request):
            message = message.replace(path, route_of(request))
    return message


def _correlated() -> dict[str, str]:
    """Return which request and which trace a record of now belongs to."""
    ids = {
        "http.request.id": correlation.request_id(),
        "trace.id": tracing.trace_id(),
        "span.id": tracing.span_id(),
    }
    return {"event.dataset": "interview_platform.log"} | {name: value for name, value in ids.items() if value}


def _service() -> dict[str, str]:
    """Return which program this is, by OTEL_SERVICE_NAME and OTEL_RESOURCE_ATTRIBUTES, as traces say it."""
    pairs = [pair.partition("=") for pair in os.environ.get("OTEL_RESOURCE_ATTRIBUTES", "").split(",")]
    told = {name.strip(): unquote(value.strip()) for name, _, value in pairs}
    service = {
        "service.name": os.environ.get("OTEL_SERVICE_NAME") or told.get("service.name") or SERVICE,
        "service.version": told.get("service.version"),
        "service.environment": told.get("deployment.environment.name"),
        "service.node.name": told.get("service.instance.id") or socket.gethostname(),
    }
    return {name: value for name, value in service.items() if value}


def route_of(request: Any) -> str:
    """Return the pattern of a request's address, such as "/i/<str:token>/"."""
    match = getattr(request, "resolver_match", None)
    return shown(match.route) if match else "an unknown address"


def shown(route: str) -> str:
    """Return an address's pattern as people read it."""
    return f"/{route.removeprefix('^').removesuffix('$')}"


def _paths(request: Any) -> list[str]:
    """Return a request's path as Django may log it, unless it is too short to tell anything."""
    path = getattr(request, "path", "")
    forms = {path, path.encode("unicode_escape").decode("ascii")}
    return sorted((form for form in forms if len(form) > 1), key=len, reverse=True)


def _secret_values() -> Iterator[str]:
    """Return passwords, keys and tokens among the settings of this platform."""
    for name in dir(settings):
        if name.isupper() and settings.is_overridden(name):  # type: ignore[misc]  # missing in the stubs
            yield from _secrets_in(name, getattr(settings, name))


def _secrets_in(name: str, value: Any) -> Iterator[str]:
    if isinstance(value, Mapping):
        for key, inner in value.items():
            yield from _secrets_in(str(key), inner)
    elif isinstance(value, (list, tuple)):
        for inner in value:
            yield from _secrets_in(name, inner)
    elif isinstance(value, str):
        found = _password_in(value) if "://" in value else value if _NAMES_OF_SETTINGS.search(name) else ""
        if len(found) >= SHORTEST_SECRET:
            yield found
            yield unquote(found)


def _password_in(url: str) -> str:
    try:
        return urlsplit(url).password or ""
    except ValueError:
        return ""


def _log_uncaught(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    if issubclass(kind, KeyboardInterrupt):
        sys.__excepthook__(kind, error, trace)
    else:
        logger.critical("this process ends", exc_info=(kind, error, trace))


def _log_uncaught_in_thread(failure: threading.ExceptHookArgs) -> None:
    if failure.exc_type is not SystemExit:
        name = failure.thread.name if failure.thread else "unknown"
        error = failure.exc_value or failure.exc_type()
        logger.error("thread %s ended", name, exc_info=(failure.exc_type, error, failure.exc_traceback))


def _log_unraisable(failure: "sys.UnraisableHookArgs") -> None:
    error = failure.exc_value or failure.exc_type()
    message = failure.err_msg or "exception ignored"
    logger.error("%s", message, exc_info=(failure.exc_type, error, failure.exc_traceback))
