"""Batch calls of several threads: up to N items or M milliseconds, of one kind at a time.

    batcher = Batcher(run, max_items=8, max_wait_ms=20)   # run(key, [item, ...]) -> [result, ...]
    result = batcher.call("en", features)                 # from any thread; blocks until the result is there
    batcher.close()

`BatchPlan` makes the decisions without a clock or threads; `Batcher` runs the threads around it.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Hashable, Sequence
from concurrent.futures import Future, wait
from dataclasses import dataclass
from typing import Generic, TypeVar

Key = TypeVar("Key", bound=Hashable)
Item = TypeVar("Item")
Result = TypeVar("Result")


@dataclass(frozen=True, slots=True)
class _Waiting(Generic[Item]):
    item: Item
    since_s: float


class BatchPlan(Generic[Key, Item]):
    """Decides which items form a batch, and when. Times are seconds of any one clock."""

    def __init__(self, *, max_items: int, max_wait_s: float) -> None:
        if max_items < 1 or max_wait_s < 0:
            raise ValueError("A batch holds at least one item and waits no less than 0 s.")
        self._max_items = max_items
        self._max_wait_s = max_wait_s
        self._queues: dict[Key, deque[_Waiting[Item]]] = {}

    def __len__(self) -> int:
        """Return the number of waiting items."""
        return sum(map(len, self._queues.values()))

    def add(self, key: Key, item: Item, now_s: float) -> None:
        self._queues.setdefault(key, deque()).append(_Waiting(item, now_s))

    def due_at_s(self) -> float | None:
        """Return when `take` will give a batch; None when no item waits."""
        return min(map(self._queue_due_at_s, self._queues.values()), default=None)

    def take(self, now_s: float) -> tuple[Key, list[Item]] | None:
        """Return the batch with the oldest item, of those that are full or have waited long enough."""
        due = [key for key, queue in self._queues.items() if self._queue_due_at_s(queue) <= now_s]
        return self._taken(due)

    def take_any(self) -> tuple[Key, list[Item]] | None:
        """Return the batch with the oldest item, full or not."""
        return self._taken(list(self._queues))

    def _queue_due_at_s(self, queue: deque[_Waiting[Item]]) -> float:
        oldest_s = queue[0].since_s
        return oldest_s if len(queue) >= self._max_items else oldest_s + self._max_wait_s

    def _taken(self, keys: list[Key]) -> tuple[Key, list[Item]] | None:
        if not keys:
            return None
        key = min(keys, key=lambda candidate: self._queues[candidate][0].since_s)
        queue = self._queues[key]
        batch = [queue.popleft().item for _ in range(min(self._max_items, len(queue)))]
        if not queue:
            del self._queues[key]
        return key, batch


class Batcher(Generic[Key, Item, Result]):
    """Runs `run(key, items)` in its own threads, batch after batch; while one runs, the next is collected.

    Each caller gets the result of its own item. When a batch of several fails, its items run one by one, so
    that the error reaches only the caller of the item at fault.

    threads: how many batches run at a time. A run that never returns blocks only its thread: callers wait
    with `result_of`, which gives up on it.
    when_run: called with the number of items of each run.
    clock: seconds by which the length of a run is measured.
    """

    def __init__(
        self,
        run: Callable[[Key, list[Item]], Sequence[Result]],
        *,
        max_items: int,
        max_wait_ms: float,
        threads: int = 1,
        when_run: Callable[[int], None] = lambda size: None,
        clock: Callable[[], float] = time.monotonic,
        name: str = "batcher",
    ) -> None:
        self._run = run
        self._clock = clock
        self._when_run = when_run
        self._plan: BatchPlan[Key, tuple[Item, Future[Result]]] = BatchPlan(
            max_items=max_items, max_wait_s=max_wait_ms / 1000
        )
        self._changed = threading.Condition()
        self._is_closed = False
        self._run_began_s: dict[int, float] = {}  # by thread id
        self._threads = [
            threading.Thread(target=self._loop, name=f"{name}-{number}", daemon=True)
            for number in range(threads)
        ]
        for thread in self._threads:
            thread.start()

    def submit(self, key: Key, item: Item) -> Future[Result]:
        """Queue `item`; a future that is cancelled before its batch starts is left out of the batch.

        Raises:
            RuntimeError: the batcher is closed.
        """
        future: Future[Result] = Future()
        with self._changed:
            if self._is_closed:
                raise RuntimeError("The batcher is closed; make a new one.")
            self._plan.add(key, (item, future), time.monotonic())
            self._changed.notify_all()  # every waiting thread must learn when the next batch is due
        return future

    def longest_run_s(self) -> float:
        """Return how many seconds the oldest current run has taken so far; 0 if there is none."""
        began_s = min(self._run_began_s.copy().values(), default=None)
        return 0.0 if began_s is None else self._clock() - began_s

    def result_of(self, future: Future[Result], *, longest_run_s: float) -> Result:
        """Wait for a result of `submit`, however long the queue is, but give up if a run hangs.

        Raises:
            TimeoutError: a run has taken `longest_run_s`; the item is cancelled if it still waits.
            Exception: whatever `run` raised for this item.
        """
        while not future.done():
            left_s = longest_run_s - self.longest_run_s()
            if left_s <= 0:
                future.cancel()
                raise TimeoutError(f"A run has not returned for {longest_run_s:g} s.")
            wait([future], timeout=left_s)
        return future.result()

    def call(self, key: Key, item: Item, *, timeout_s: float | None = None) -> Result:
        """Queue `item` and wait for its result.

        Raises:
            TimeoutError: no result within `timeout_s`.
            RuntimeError: the batcher is closed.
            Exception: whatever `run` raised for this item.
        """
        return self.submit(key, item).result(timeout_s)

    def close(self, *, timeout_s: float | None = None) -> None:
        """Accept no more items, run the queued ones, end the threads; further calls do nothing.

        timeout_s: the longest to wait for that; a thread whose run hangs is abandoned.
        """
        with self._changed:
            self._is_closed = True
            self._changed.notify_all()
        deadline_s = None if timeout_s is None else time.monotonic() + timeout_s
        for thread in self._threads:
            thread.join(None if deadline_s is None else max(0.0, deadline_s - time.monotonic()))

    def _loop(self) -> None:
        while (taken := self._next_batch()) is not None:
            key, entries = taken
            self._answer(key, [entry for entry in entries if entry[1].set_running_or_notify_cancel()])

    def _next_batch(self) -> tuple[Key, list[tuple[Item, Future[Result]]]] | None:
        """Wait for the next batch; None when closed and empty."""
        with self._changed:
            while True:
                now_s = time.monotonic()
                taken = self._plan.take_any() if self._is_closed else self._plan.take(now_s)
                if taken or self._is_closed:
                    return taken
                due_at_s = self._plan.due_at_s()
                self._changed.wait(None if due_at_s is None else due_at_s - now_s)

    def _answer(self, key: Key, entries: list[tuple[Item, Future[Result]]]) -> None:
        if not entries:
            return
        try:
            results = self._timed_run(key, [item for item, _ in entries])
            if len(results) != len(entries):
                raise RuntimeError(f"A batch of {len(entries)} items gave {len(results)} results.")
        except BaseException as error:  # noqa: BLE001 - handed to the caller; the thread lives on
            if len(entries) == 1:
                entries[0][1].set_exception(error)
                return
            for entry in entries:
                self._answer(key, [entry])
        else:
            for (_, future), result in zip(entries, results, strict=True):
                future.set_result(result)

    def _timed_run(self, key: Key, items: list[Item]) -> Sequence[Result]:
        self._when_run(len(items))
        thread = threading.get_ident()
        self._run_began_s[thread] = self._clock()
        try:
            return self._run(key, items)
        finally:
            del self._run_began_s[thread]


class TurnsLock:
    """A lock whose waiters get it in the order in which they came.

    `threading.Lock` goes to whoever is quickest, which is often the thread that has just released it: a long
    recording would keep all others waiting until its end.
    """

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._waiting: deque[object] = deque()

    def __enter__(self) -> None:
        turn = object()
        with self._changed:
            self._waiting.append(turn)
            self._changed.wait_for(lambda: self._waiting[0] is turn)

    def __exit__(self, *exc_info: object) -> None:
        with self._changed:
            self._waiting.popleft()
            self._changed.notify_all()
