"""A file that is written piece by piece: no recording is in memory as a whole, and none is there by half."""

from pathlib import Path
from typing import IO

import httpx

from interview_client import exchange, retries
from interview_client.calls import Call

FETCH: Call[None] = Call("GET", "")


class Download:
    """A file on its way. It lies beside `target`, as `.part`, until it is whole."""

    def __init__(self, url: str, target: Path, *, address: str, key: str) -> None:
        self._url, self._target = url, target
        self._part = target.with_name(f"{target.name}.part")
        self._address, self._key = address.rstrip("/"), key
        self._part.unlink(missing_ok=True)

    def steps(self, tries: int) -> exchange.Steps[Path]:
        """Fetch it until it is whole. Takes what stands in the way, or None. Raises Problem, Unreachable."""
        tried = 0
        while (outcome := (yield self.request())) is not None:
            tried += 1
            pause = retries.pause_s(FETCH, outcome, tried) if tried < tries else None
            if pause is None:
                exchange.answer(outcome)
            yield pause or 0.0
        return self.complete()

    def request(self) -> httpx.Request:
        """Return the request for what is missing. The key goes to no other host than the platform."""
        headers = {"Accept-Encoding": "identity", "User-Agent": exchange.AGENT}
        if have := self._size():
            headers["Range"] = f"bytes={have}-"
        if self._url.startswith("/"):
            headers["Authorization"] = f"Bearer {self._key}"
            return httpx.Request("GET", self._address + self._url, headers=headers)
        return httpx.Request("GET", self._url, headers=headers)

    def opened(self, response: httpx.Response) -> IO[bytes]:
        """Return the open part, at the place where this answer goes on."""
        return self._part.open("ab" if response.status_code == httpx.codes.PARTIAL_CONTENT else "wb")

    def complete(self) -> Path:
        """Put the file in its place."""
        return self._part.replace(self._target)

    def _size(self) -> int:
        return self._part.stat().st_size if self._part.exists() else 0
