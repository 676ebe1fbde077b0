"""The client, with threads (`Client`) and without (`AsyncClient`). Both take the same steps (`exchange`)."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from functools import partial
from os import PathLike
from pathlib import Path
from types import TracebackType
from typing import Any, Self, TypeVar

import httpx

from interview_client import api, exchange, retries
from interview_client.calls import Call, Pages
from interview_client.downloading import Download
from interview_client.exchange import Steps
from interview_client.types import Event

T = TypeVar("T")


class _Settings:
    """What both clients know. tries: of one call, in all."""

    def __init__(self, address: str, key: str, *, tries: int = 5) -> None:
        self._address, self._key, self._tries = address, key, tries

    def _steps(self, call: Call[T], idempotency_key: str = "") -> Steps[tuple[T, str]]:
        known = {"address": self._address, "key": self._key, "tries": self._tries}
        return exchange.steps(call, idempotency_key=idempotency_key, **known)  # type: ignore[arg-type]

    def _download(self, url: str, to: str | PathLike[str]) -> Download:
        return Download(url, Path(to), address=self._address, key=self._key)


class Client(_Settings):
    """Calls that wait for their answers.

    address: of the platform, as "https://interviews.example.com". key: "ipk_…". timeout_s: of one try.
    """

    def __init__(
        self,
        address: str,
        key: str,
        *,
        tries: int = 5,
        timeout_s: float = 30.0,
        transport: httpx.BaseTransport | None = None,
    ) -> None:
        super().__init__(address, key, tries=tries)
        self._http = httpx.Client(timeout=timeout_s, transport=transport)
        self._sleep: Callable[[float], None] = time.sleep

    def send(self, call: Call[T], *, idempotency_key: str = "") -> T:
        """Make a call, and return its answer.

        idempotency_key: of a POST. Sent again with the same one within a day, it gets the same answer and
        nothing is done twice, also by another process; "": one for this call and its retries.

        Raises:
            Problem: it is refused. Unreachable: nothing answers.
        """
        return self._take(self._steps(call, idempotency_key), self._try)[0]

    def read(self, call: Call[T]) -> tuple[T, str]:
        """Make a call, and return its answer with its ETag: the `if_match` of a change of what was read."""
        return self._take(self._steps(call), self._try)

    def _take(self, steps: Steps[T], attempt: Callable[[httpx.Request], Any]) -> T:
        """Take steps, one after the other. attempt: what is done with a request."""
        outcome = None
        while True:
            try:
                step = steps.send(outcome)
            except StopIteration as end:
                result: T = end.value
                return result
            outcome = attempt(step) if isinstance(step, httpx.Request) else self._sleep(step)

    def _try(self, request: httpx.Request) -> Any:
        try:
            return self._http.send(request)
        except httpx.TransportError as error:
            return error

    def all(self, pages: Pages[T]) -> Iterator[T]:
        """Yield every row of a list, a page at a time."""
        call = api.first(pages)
        while call is not None:
            page = self.send(call)
            yield from page["items"]
            call = api.following(pages, page)

    def until(self, call: Call[T], is_over: Callable[[T], bool], *, pause_s: float = 2.0) -> T:
        """Ask again and again, until the answer is as it should be. Return it."""
        while not is_over(answer := self.send(call)):
            self._sleep(pause_s)
        return answer

    def events(self, *, after: str = "", pause_s: float = 5.0) -> Iterator[Event]:
        """Yield what happens, for ever. after: see `Event.cursor`; "": from the beginning."""
        while True:
            page = self.send(api.events(after=after))
            after = page["next"]
            yield from page["items"]
            if not page["has_more"]:
                self._sleep(pause_s)

    def download(self, url: str, to: str | PathLike[str]) -> Path:
        """Write a file of a recording or an export to a path. A break goes on where it was.

        url: of `api.recording` or `api.export`.
        """
        download = self._download(url, to)
        return self._take(download.steps(self._tries), partial(self._fetch, download))

    def _fetch(self, download: Download, request: httpx.Request) -> retries.Outcome | None:
        """Fetch what is missing. Return what stands in the way; None: nothing, it is whole."""
        try:
            response = self._http.send(request, stream=True)
            try:
                if not response.is_success:
                    response.read()
                    return response
                with download.opened(response) as file:
                    for piece in response.iter_bytes():
                        file.write(piece)
            finally:
                response.close()
        except httpx.TransportError as error:
            return error
        return None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections."""
        self._http.close()


class AsyncClient(_Settings):
    """The same calls as coroutines."""

    def __init__(
        self,
        address: str,
        key: str,
        *,
        tries: int = 5,
        timeout_s: float = 30.0,
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        super().__init__(address, key, tries=tries)
        self._http = httpx.AsyncClient(timeout=timeout_s, transport=transport)
        self._sleep = asyncio.sleep

    async def send(self, call: Call[T], *, idempotency_key: str = "") -> T:
        """See `Client.send`."""
        answer, _tag = await self._take(self._steps(call, idempotency_key), self._try)
        return answer

    async def read(self, call: Call[T]) -> tuple[T, str]:
        """See `Client.read`."""
        return await self._take(self._steps(call), self._try)

    async def _take(self, steps: Steps[T], attempt: Callable[[httpx.Request], Awaitable[Any]]) -> T:
        outcome = None
        while True:
            try:
                step = steps.send(outcome)
            except StopIteration as end:
                result: T = end.value
                return result
            outcome = await (attempt(step) if isinstance(step, httpx.Request) else self._sleep(step))

    async def _try(self, request: httpx.Request) -> Any:
        try:
            return await self._http.send(request)
        except httpx.TransportError as error:
            return error

    async def all(self, pages: Pages[T]) -> AsyncIterator[T]:
        """See `Client.all`."""
        call = api.first(pages)
        while call is not None:
            page = await self.send(call)
            for item in page["items"]:
                yield item
            call = api.following(pages, page)

    async def until(self, call: Call[T], is_over: Callable[[T], bool], *, pause_s: float = 2.0) -> T:
        """See `Client.until`."""
        while not is_over(answer := await self.send(call)):
            await self._sleep(pause_s)
        return answer

    async def events(self, *, after: str = "", pause_s: float = 5.0) -> AsyncIterator[Event]:
        """See `Client.events`."""
        while True:
            page = await self.send(api.events(after=after))
            after = page["next"]
            for event in page["items"]:
                yield event
            if not page["has_more"]:
                await self._sleep(pause_s)

    async def download(self, url: str, to: str | PathLike[str]) -> Path:
        """See `Client.download`."""
        download = self._download(url, to)
        return await self._take(download.steps(self._tries), partial(self._fetch, download))

    async def _fetch(self, download: Download, request: httpx.Request) -> retries.Outcome | None:
        try:
            response = await self._http.send(request, stream=True)
            try:
                if not response.is_success:
                    await response.aread()
                    return response
                with download.opened(response) as file:
                    async for piece in response.aiter_bytes():
                        file.write(piece)
            finally:
                await response.aclose()
        except httpx.TransportError as error:
            return error
        return None

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def close(self) -> None:
        """Close the connections."""
        await self._http.aclose()
