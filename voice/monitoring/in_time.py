"""Ask stores in threads of their own, and wait for their answers no longer than a given time.

    answers = in_time.asked({"redis": ping, "postgresql": query}, within_s=2.0)
    answers["redis"].done()     # else it hangs

Concurrent callers share one call under way, so that a store that hangs blocks only one thread.
"""

import threading
from collections.abc import Callable, Hashable, Mapping
from concurrent.futures import Future, wait
from typing import Any, TypeVar

from django.db import connections

Name = TypeVar("Name", bound=Hashable)
Call = Callable[[], Any]

_under_way: dict[Call, Future[Any]] = {}


def asked(calls: Mapping[Name, Call], *, within_s: float) -> dict[Name, Future[Any]]:
    """Return the future of each call, when all are done or the time is over. For a thread."""
    futures = {name: _future(call) for name, call in calls.items()}
    wait(futures.values(), timeout=within_s)
    return futures


def _future(call: Call) -> Future[Any]:
    """Return the future of a running call, or start a new one."""
    future = _under_way.get(call)
    if future is None or future.done():
        future = _under_way[call] = Future()
        threading.Thread(target=_answer, args=(call, future), name="in-time", daemon=True).start()
    return future


def _answer(call: Call, future: Future[Any]) -> None:
    try:
        answer = call()
    except Exception as error:  # noqa: BLE001  whatever a store's library raises, the asker decides
        connections.close_all()
        future.set_exception(error)
    else:
        connections.close_all()
        future.set_result(answer)
