"""Coalesce single requests on an event loop into batches.

    write = Coalesced(write_all)             # write_all([item, ...]) -> [answer, ...]
    held = await write(frame)                # from as many tasks as there are speakers

An item that comes alone is handled at once. Items that come while a batch is being handled, or within
a pace of 20 ms after it began, wait for the next batch: a batch costs one round trip to a store and a
fraction of the work. (`voice.engines.stt.batching` is for threads and models, where it pays even for the
first item to wait.)
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Final, Generic, TypeVar

from voice.infra import correlation

Item = TypeVar("Item")
Answer = TypeVar("Answer")

PACE_S: Final = 0.02
"""20 ms do not matter for an acknowledgement, and make large batches."""
AT_MOST: Final = 256
"""The largest batch, so that no batch takes long."""


class Coalesced(Generic[Item, Answer]):
    """For one event loop. Items are handled in the order in which they came."""

    def __init__(
        self,
        carry_out: Callable[[list[Item]], Awaitable[Sequence[Answer]]],
        *,
        pace_s: Callable[[], float] = lambda: PACE_S,
    ) -> None:
        """
        carry_out: returns an answer for each item, in order; its exception reaches the whole batch.
        pace_s: the least time between the beginnings of two batches, now.
        """
        self._carry_out = carry_out
        self._pace_s = pace_s
        self._waiting: list[tuple[Item, asyncio.Future[Answer]]] = []
        self._task: asyncio.Task[None] | None = None

    async def __call__(self, item: Item) -> Answer:
        """Return the answer; raise what `carry_out` raises, although the item may have been handled then."""
        answer: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
        self._waiting.append((item, answer))
        if self._task is None:
            self._task = correlation.task_for_all(self._serve())
        return await answer

    async def _serve(self) -> None:
        loop = asyncio.get_running_loop()
        while self._waiting:
            began = loop.time()
            company, self._waiting = self._waiting[:AT_MOST], self._waiting[AT_MOST:]
            await self._answer(company)
            if len(self._waiting) < AT_MOST:
                await asyncio.sleep(max(0.0, began + self._pace_s() - loop.time()))
        self._task = None

    async def _answer(self, company: list[tuple[Item, asyncio.Future[Answer]]]) -> None:
        try:
            answers = await self._carry_out([item for item, _ in company])
            answered = list(zip(company, answers, strict=True))
        except Exception as error:  # noqa: BLE001  raised for every item
            for _, future in company:
                if not future.done():
                    future.set_exception(error)
        else:
            for (_, future), answer in answered:
                if not future.done():  # its task was cancelled
                    future.set_result(answer)
