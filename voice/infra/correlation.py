"""Which request the work of this moment goes back to, across tasks, threads, queues and workers.

    with correlation.serving(request_id):     # of a request, or of a job that it led to
        correlation.request_id()              # what every line of the log says

The id lies in a context variable. Tasks, `asyncio.to_thread` and `sync_to_async` take it along, and a job
carries it as a note (`voice.queues.jobs`). A task that works for many requests begins with `task_for_all`.
"""

import asyncio
import re
import secrets
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager
from contextvars import Context, ContextVar
from typing import Any, TypeVar

T = TypeVar("T")

_PATTERN = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{7,63}")
"""What NGINX takes, too (deploy/nginx): its own `$request_id`, UUIDs, ids of load balancers."""

_request_id: ContextVar[str] = ContextVar("request_id", default="")


def request_id() -> str:
    """Return the id of the request that is served; "" for work that no request led to, such as cron's."""
    return _request_id.get()


def accepted(value: str) -> str:
    """Return an id that somebody else sent; "" unless it has the form of an id."""
    return value if _PATTERN.fullmatch(value) else ""


def new() -> str:
    """Return a new id: 32 hexadecimal digits."""
    return secrets.token_hex(16)


@contextmanager
def serving(request_id: str) -> Iterator[None]:
    """Let the block work for this request; "" for none."""
    token = _request_id.set(request_id)
    try:
        yield
    finally:
        _request_id.reset(token)


def task_for_all(work: Coroutine[Any, Any, T]) -> asyncio.Task[T]:
    """Start a task that works for all requests: it must not go by the one that happened to start it."""
    return asyncio.get_running_loop().create_task(work, context=Context())
