"""Batch calls of several threads: up to N items or M milliseconds, of one kind at a time.

    batcher = Batcher(run, max_items=8, max_wait_ms=20)   # run(key, [item, ...]) -> [result, ...]
    result = batcher.call("en", features)                 # from any thread; blocks until the result is there
    batcher.close()

Where items have to be prepared one by one before a batch of them is run, `prepare` does that: see `Batcher`.

`BatchPlan` and `Line` make the decisions without a clock or threads; `Batcher` runs the threads around them.
"""

from __future__ import annotations

import threading
import time
from bisect import insort
from collections import deque
from collections.abc import Callable, Hashable, Iterator, Sequence
from concurrent.futures import Future, wait
from contextlib import contextmanager
from dataclasses import dataclass, replace
from operator import attrgetter
from typing import Generic, TypeVar

Key = TypeVar("Key", bound=Hashable)
Item = TypeVar("Item")
Result = TypeVar("Result")


@dataclass(frozen=True, slots=True)
class _Waiting(Generic[Item]):
    item: Item
    since_s: float
    turn_s: float


class BatchPlan(Generic[Key, Item]):
    """Decides which items form a batch, and when. Times are seconds of any one clock."""

    def __init__(self, *, max_items: int, max_wait_s: float) -> None:
        if max_items < 1 or max_wait_s < 0:
            raise ValueError("A batch holds at least one item and waits no less than 0 s.")
        self._max_items = max_items
        self._max_wait_s = max_wait_s
        self._queues: dict[Key, list[_Waiting[Item]]] = {}

    def __len__(self) -> int:
        """Return the number of waiting items."""
        return sum(map(len, self._queues.values()))

    def add(self, key: Key, item: Item, now_s: float, *, behind_s: float = 0.0) -> None:
        """behind_s: the item takes its turn as if it came that much later."""
        queue = self._queues.setdefault(key, [])
        insort(queue, _Waiting(item, now_s, now_s + behind_s), key=attrgetter("turn_s"))

    def due_at_s(self) -> float | None:
        """Return when `take` will give a batch; None when no item waits."""
        return min(map(self._queue_due_at_s, self._queues.values()), default=None)

    def take(self, now_s: float) -> tuple[Key, list[Item]] | None:
        """Return the batch whose turn it is, of those that are full or have waited long enough."""
        due = [key for key, queue in self._queues.items() if self._queue_due_at_s(queue) <= now_s]
        return self._taken(due)

    def take_any(self) -> tuple[Key, list[Item]] | None:
        """Return the batch whose turn it is, full or not."""
        return self._taken(list(self._queues))

    def _queue_due_at_s(self, queue: list[_Waiting[Item]]) -> float:
        oldest_s = min(waiting.since_s for waiting in queue)
        return oldest_s if len(queue) >= self._max_items else oldest_s + self._max_wait_s

    def _taken(self, keys: list[Key]) -> tuple[Key, list[Item]] | None:
        if not keys:
            return None
        key = min(keys, key=lambda candidate: self._queues[candidate][0].turn_s)
        queue = self._queues[key]
        batch = [waiting.item for waiting in queue[: self._max_items]]
        del queue[: self._max_items]
        if not queue:
            del self._queues[key]
        return key, batch


@dataclass(frozen=True, slots=True)
class Work(Generic[Key, Item]):
    """What a thread does next: prepare one item, or run a batch."""

    key: Key
    items: list[Item]
    is_preparation: bool = False


class Line(Generic[Key, Item]):
    """Decides what a free thread does next.

    Without preparation, batches run as `BatchPlan` says. With it, a free thread prepares an item if one waits
    and otherwise runs what is prepared: a lone caller never waits for a batch to fill. While items still wait
    to be prepared, prepared ones gather until their batch is full, or until one has waited `max_wait_s`.
    """

    def __init__(self, *, max_items: int, max_wait_s: float, has_preparation: bool) -> None:
        self._has_preparation = has_preparation
        self._unprepared: BatchPlan[Key, Item] = BatchPlan(max_items=1, max_wait_s=0)
        self._prepared: BatchPlan[Key, Item] = BatchPlan(max_items=max_items, max_wait_s=max_wait_s)

    def add(
        self, key: Key, item: Item, now_s: float, *, behind_s: float = 0.0, is_prepared: bool = False
    ) -> None:
        plan = self._unprepared if self._has_preparation and not is_prepared else self._prepared
        plan.add(key, item, now_s, behind_s=behind_s)

    def due_at_s(self) -> float | None:
        """Return when `next` will give work; None when nothing waits."""
        return self._prepared.due_at_s()

    def next(self, now_s: float, *, is_closed: bool = False) -> Work[Key, Item] | None:
        """is_closed: no more items will come, so batches need not fill."""
        if due := self._prepared.take(now_s):
            return Work(*due)
        if unprepared := self._unprepared.take_any():
            return Work(*unprepared, is_preparation=True)
        rest = self._prepared.take_any() if self._has_preparation or is_closed else None
        return Work(*rest) if rest else None


@dataclass(frozen=True, slots=True)
class _Entry(Generic[Item, Result]):
    item: Item
    future: Future[Result]
    behind_s: float


class Batcher(Generic[Key, Item, Result]):
    """Runs `run(key, items)` in its own threads, batch after batch; while one runs, the next is collected.

    Each caller gets the result of its own item. When a batch of several fails, its items run one by one, so
    that the error reaches only the caller of the item at fault.

    prepare: makes one item ready for `run`, and may change its key. Threads that prepare and threads that run
    are the same: `Line` says what each does next.
    threads: how many calls run at a time. A call that never returns blocks only its thread: callers wait
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
        prepare: Callable[[Key, Item], tuple[Key, Item]] | None = None,
        threads: int = 1,
        when_run: Callable[[int], None] = lambda size: None,
        clock: Callable[[], float] = time.monotonic,
        name: str = "batcher",
    ) -> None:
        self._run = run
        self._prepare = prepare
        self._clock = clock
        self._when_run = when_run
        self._line: Line[Key, _Entry[Item, Result]] = Line(
            max_items=max_items, max_wait_s=max_wait_ms / 1000, has_preparation=prepare is not None
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

    def submit(
        self, key: Key, item: Item, *, behind_s: float = 0.0, is_prepared: bool = False
    ) -> Future[Result]:
        """Queue `item`; a future that is cancelled before its batch starts is left out of the batch.

        behind_s: the item takes its turn as if it came that much later.
        is_prepared: `prepare` is not needed.

        Raises:
            RuntimeError: the batcher is closed.
        """
        entry: _Entry[Item, Result] = _Entry(item, Future(), behind_s)
        with self._changed:
            if self._is_closed:
                raise RuntimeError("The batcher is closed; make a new one.")
            self._add(key, entry, is_prepared=is_prepared)
        return entry.future

    def longest_run_s(self) -> float:
        """Return how many seconds the oldest current call has taken so far; 0 if there is none."""
        began_s = min(self._run_began_s.copy().values(), default=None)
        return 0.0 if began_s is None else self._clock() - began_s

    def result_of(self, future: Future[Result], *, longest_run_s: float) -> Result:
        """Wait for a result of `submit`, however long the queue is, but give up if a run hangs.

        Raises:
            TimeoutError: a run has taken `longest_run_s`; the item is cancelled if it still waits.
            Exception: whatever `prepare` or `run` raised for this item.
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
            Exception: whatever `prepare` or `run` raised for this item.
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

    def _add(self, key: Key, entry: _Entry[Item, Result], *, is_prepared: bool) -> None:
        """Put the entry in line; the caller holds the lock."""
        now_s = time.monotonic()
        self._line.add(key, entry, now_s, behind_s=entry.behind_s, is_prepared=is_prepared)
        self._changed.notify_all()  # every waiting thread must learn when the next batch is due

    def _loop(self) -> None:
        while work := self._next_work():
            if work.is_preparation:
                self._make_ready(work.key, work.items[0])
            else:
                entries = work.items
                self._answer(
                    work.key, [entry for entry in entries if entry.future.set_running_or_notify_cancel()]
                )

    def _next_work(self) -> Work[Key, _Entry[Item, Result]] | None:
        """Wait for something to do; None when closed and empty."""
        with self._changed:
            while True:
                now_s = time.monotonic()
                work = self._line.next(now_s, is_closed=self._is_closed)
                if work or self._is_closed:
                    return work
                due_at_s = self._line.due_at_s()
                self._changed.wait(None if due_at_s is None else due_at_s - now_s)

    def _make_ready(self, key: Key, entry: _Entry[Item, Result]) -> None:
        assert self._prepare
        if entry.future.cancelled():
            return
        try:
            with self._timed():
                key, item = self._prepare(key, entry.item)
        except BaseException as error:  # noqa: BLE001 - handed to the caller; the thread lives on
            if entry.future.set_running_or_notify_cancel():
                entry.future.set_exception(error)
        else:
            with self._changed:
                self._add(key, replace(entry, item=item), is_prepared=True)

    def _answer(self, key: Key, entries: list[_Entry[Item, Result]]) -> None:
        if not entries:
            return
        try:
            self._when_run(len(entries))
            with self._timed():
                results = self._run(key, [entry.item for entry in entries])
            if len(results) != len(entries):
                raise RuntimeError(f"A batch of {len(entries)} items gave {len(results)} results.")
        except BaseException as error:  # noqa: BLE001 - handed to the caller; the thread lives on
            if len(entries) == 1:
                entries[0].future.set_exception(error)
                return
            for entry in entries:
                self._answer(key, [entry])
        else:
            for entry, result in zip(entries, results, strict=True):
                entry.future.set_result(result)

    @contextmanager
    def _timed(self) -> Iterator[None]:
        """Count the time inside as a run of this thread."""
        thread = threading.get_ident()
        self._run_began_s[thread] = self._clock()
        try:
            yield
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
