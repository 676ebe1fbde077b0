"""Check whether a process can do its work: the stores answer, the models are loaded.

    readiness.states(readiness.STORES)       # -> {"postgresql": "ok", "redis": "ConnectionError", …}

Each part is checked in its own thread within `WITHIN_S`: a store that hangs counts as unreachable. Concurrent
callers share one check, so that a store that hangs blocks only one thread.
"""

import threading
from collections.abc import Callable, Mapping
from concurrent.futures import Future, wait

from django.conf import settings
from django.core.files.storage import default_storage
from django.db import connection, connections

from voice.errors import NotReady
from voice.inference import reports
from voice.infra import redis_clients

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

_under_way: dict[Check, Future[str]] = {}


def states(checks: Mapping[str, Check]) -> dict[str, str]:
    """Return each part with "ok" or its problem, within `WITHIN_S`. For a thread."""
    asked = {name: _asked(check) for name, check in checks.items()}
    wait(asked.values(), timeout=WITHIN_S)
    return {
        name: future.result() if future.done() else f"no answer within {WITHIN_S:g} s"
        for name, future in asked.items()
    }


def _asked(check: Check) -> Future[str]:
    """Return the future of a running check, or start a new one."""
    future = _under_way.get(check)
    if future is None or future.done():
        future = _under_way[check] = Future()
        threading.Thread(target=_answer, args=(check, future), name="readiness", daemon=True).start()
    return future


def _answer(check: Check, future: Future[str]) -> None:
    state = "ok"
    try:
        check()
    except Exception as error:  # noqa: BLE001  whatever a store's library raises, the answer is "not ready"
        state = str(error) if isinstance(error, NotReady) else type(error).__name__
    connections.close_all()
    future.set_result(state)
