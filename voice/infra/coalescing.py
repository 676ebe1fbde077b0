"""What many ask for one by one on an event loop, carried out together.

    write = Coalesced(write_all)              # write_all([item, ...]) -> [answer, ...]
    held = await write(frame)                # from as many tasks as there are speakers

Who comes alone goes at once. Who comes while others are served, or within `PACE_S` after they began, waits
for the next turn: a company of many costs one round trip to a store, and a fraction of the work.
(`voice.engines.stt.batching` is for threads and models, where waiting for company pays even for who comes
first.)
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Final, Generic, TypeVar

Item = TypeVar("Item")
Answer = TypeVar("Answer")

PACE_S: Final = 0.02
"""Twenty milliseconds more are nothing to who waits for an acknowledgement, and much company."""
AT_MOST: Final = 256
"""So many go together, so that no company is long in coming back."""


class Coalesced(Generic[Item, Answer]):
    """Of one event loop.  Items are carried out in the order in which they came."""

    def __init__(self, carry_out: Callable[[list[Item]], Awaitable[Sequence[Answer]]]) -> None:
        """carry_out: an answer for each item, in order; what it raises reaches everybody in the company."""
        self._carry_out = carry_out
        self._waiting: list[tuple[Item, asyncio.Future[Answer]]] = []
        self._task: asyncio.Task[None] | None = None

    async def __call__(self, item: Item) -> Answer:
        """Return the answer; raises what `carry_out` raises, and the item may have been carried out then."""
        answer: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
        self._waiting.append((item, answer))
        if self._task is None:
            self._task = asyncio.create_task(self._serve())
        return await answer

    async def _serve(self) -> None:
        loop = asyncio.get_running_loop()
        while self._waiting:
            began = loop.time()
            company, self._waiting = self._waiting[:AT_MOST], self._waiting[AT_MOST:]
            await self._answer(company)
            if len(self._waiting) < AT_MOST:
                await asyncio.sleep(max(0.0, began + PACE_S - loop.time()))
        self._task = None

    async def _answer(self, company: list[tuple[Item, asyncio.Future[Answer]]]) -> None:
        try:
            answers = await self._carry_out([item for item, _ in company])
            answered = list(zip(company, answers, strict=True))
        except Exception as error:  # noqa: BLE001  everybody gets it
            for _, future in company:
                if not future.done():
                    future.set_exception(error)
        else:
            for (_, future), answer in answered:
                if not future.done():  # whoever asked was cancelled
                    future.set_result(answer)
