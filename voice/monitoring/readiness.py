"""Check whether a process can do its work: the stores answer, the models are loaded.

    readiness.states(readiness.STORES)       # -> {"postgresql": "ok", "redis": "ConnectionError", …}

Each part is checked in its own thread within `WITHIN_S`: a store that hangs counts as unreachable.
"""

from collections.abc import Callable, Mapping
from concurrent.futures import Future

from django.conf import settings
from django.core.files.storage import default_storage
from django.db import connection

from voice.errors import NotReady
from voice.inference import reports
from voice.infra import redis_clients
from voice.monitoring.in_time import asked

WITHIN_S = 2.0

Check = Callable[[], object]
"""Raises the problem."""


def _query() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")


def _engine_is_warm(direction: str) -> None:
    if not reports.ready(direction):
        names = ", ".join(settings.VOICE["STT_ENGINES" if direction == "recognition" else "TTS_ENGINES"])
        raise NotReady(f"no worker has a warm engine yet (configured: {names})")


STORES: Mapping[str, Check] = {
    "postgresql": _query,
    "redis": lambda: redis_clients.sync_client().ping(),
    "storage": lambda: default_storage.exists("ready"),
}
ENGINES: Mapping[str, Check] = {
    "recognition": lambda: _engine_is_warm("recognition"),
    "synthesis": lambda: _engine_is_warm("synthesis"),
}


def states(checks: Mapping[str, Check]) -> dict[str, str]:
    """Return each part with "ok" or its problem, within `WITHIN_S`. For a thread."""
    return {name: _state(future) for name, future in asked(checks, within_s=WITHIN_S).items()}


def _state(future: Future[object]) -> str:
    if not future.done():
        return f"no answer within {WITHIN_S:g} s"
    error = future.exception()
    if error is None:
        return "ok"
    return str(error) if isinstance(error, NotReady) else type(error).__name__
