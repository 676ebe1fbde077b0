"""HTTPS to a vendor, and its failures as our errors. Messages hold no key, text, audio or answer.

    connection = Connection(account, "https://api.deepgram.com", {"Authorization": "Token ..."})
    connection.open()                                         # checks the key, makes no request
    answer = connection.json("POST", "/v1/listen", refusal=AudioRejected, content=flac)

A vendor's own messages are never passed on: some repeat the key or the text.
"""

from __future__ import annotations

import json
import math
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final

from voice.engines.cloud.account import CloudAccount
from voice.errors import EngineUnavailable, TransientFailure, VoiceError

if TYPE_CHECKING:
    import httpx

CONNECT_S: Final = 5.0
LIMIT_BYTES: Final = 64 * 1024 * 1024  # of one answer; 20 minutes of speech at 24 kHz
PASSING: Final = frozenset({408, 425, 429})
REFUSING: Final = frozenset({400, 413, 415, 422})


class Connection:
    """Pooled connections to one vendor. Thread-safe. Redirects are not followed, to keep the key private."""

    def __init__(self, account: CloudAccount, base_url: str, headers: Mapping[str, str]) -> None:
        self._account = account
        self._base_url = base_url.rstrip("/")
        self._headers = dict(headers)
        self._client: httpx.Client | None = None
        self._opening = threading.Lock()

    def open(self) -> None:
        """Get ready without a request; further calls return at once.

        Raises:
            EngineUnavailable: no key, no httpx, or the address is invalid.
        """
        with self._opening:
            if self._client is None:
                self._account.check()
                self._client = self._new_client()

    def close(self) -> None:
        """Close all connections; the next call opens new ones."""
        with self._opening:
            client, self._client = self._client, None
        if client:
            client.close()

    def json(self, method: str, path: str, *, refusal: type[VoiceError], **request: Any) -> Any:
        """Return the vendor's JSON answer, which must be complete within the account's `timeout_s`.

        refusal: the error to raise for a request that the vendor rejects.

        Raises:
            refusal, TransientFailure, EngineUnavailable: see `refused`.
        """
        deadline = time.monotonic() + self._account.timeout_s
        body = bytearray()
        with self.answer(method, path, refusal=refusal, **request) as response:
            for piece in response.iter_bytes():
                body += piece
                if time.monotonic() > deadline:
                    raise timed_out(self._account)
                if len(body) > LIMIT_BYTES:
                    raise malformed(self._account)
        with reading(self._account):
            return json.loads(body)

    def audio(self, path: str, *, refusal: type[VoiceError], **request: Any) -> Iterator[bytes]:
        """Yield the audio of the vendor's answer to a POST as it arrives; a gap may last `timeout_s`.

        Raises (while iterating):
            refusal, TransientFailure, EngineUnavailable: see `refused`.
        """
        n_bytes = 0
        with self.answer("POST", path, refusal=refusal, **request) as response:
            kind = response.headers.get("content-type", "")
            if not kind.startswith(("audio/", "application/octet-stream")):  # such as a login page
                raise malformed(self._account)
            for piece in response.iter_bytes():
                n_bytes += len(piece)
                if n_bytes > LIMIT_BYTES:
                    raise malformed(self._account)
                yield piece

    @contextmanager
    def answer(
        self, method: str, path: str, *, refusal: type[VoiceError], **request: Any
    ) -> Iterator[httpx.Response]:
        """Yield an answer with status 200, its body not read yet."""
        import httpx

        self.open()
        client = self._client
        assert client is not None
        try:
            with client.stream(method, self._base_url + path, **request) as response:
                if response.status_code != 200:
                    raise refused(self._account, _status(response), refusal)
                yield response
        # httpx's own messages may quote a header, and with it the key: neither kept nor chained.
        except httpx.TimeoutException:
            raise timed_out(self._account) from None
        except (httpx.LocalProtocolError, httpx.UnsupportedProtocol, httpx.InvalidURL):
            raise misaddressed(self._account) from None
        except httpx.DecodingError:
            raise malformed(self._account) from None
        except httpx.TransportError as error:
            raise unreachable(self._account, type(error).__name__) from None

    def _new_client(self) -> httpx.Client:
        try:
            import httpx
        except ImportError as error:
            vendor = self._account.vendor
            raise EngineUnavailable(
                f"The package 'httpx' is missing; install 'interview-platform[{vendor}]'."
            ) from error
        if not self._base_url.startswith(("https://", "http://")):
            raise misaddressed(self._account)
        seconds = self._account.timeout_s
        timeout = httpx.Timeout(seconds, connect=min(CONNECT_S, seconds))
        return httpx.Client(headers=self._headers, timeout=timeout, follow_redirects=False)


def _status(response: httpx.Response) -> int:
    """Return the status; Google's 400 for a wrong key counts as 403."""
    if response.status_code != 400:
        return response.status_code
    beginning = next(response.iter_bytes(8192), b"")
    return 403 if b"API_KEY_INVALID" in beginning else 400


def refused(account: CloudAccount, status: int, refusal: type[VoiceError]) -> VoiceError:
    """Return the error for an HTTP status other than 200: retry, wrong key, bad request, or another."""
    vendor = account.vendor
    if status in PASSING or status >= 500:
        return TransientFailure(f"{vendor} is busy or has a fault (HTTP {status}); try again.")
    if status in (401, 403):
        return EngineUnavailable(
            f"{vendor} refuses the key (HTTP {status}); check {account.key_variable}, its rights, its quota."
        )
    if status in REFUSING:
        return refusal(f"{vendor} cannot use this (HTTP {status}).")
    address = account.variable("base_url")
    return EngineUnavailable(
        f"{vendor} answers HTTP {status}; check {address}, the model, the voice and the account."
    )


def timed_out(account: CloudAccount) -> TransientFailure:
    return TransientFailure(f"{account.vendor} did not answer within {account.timeout_s:g} s.")


def unreachable(account: CloudAccount, kind: str) -> TransientFailure:
    return TransientFailure(f"The connection to {account.vendor} failed ({kind}); try again.")


def misaddressed(account: CloudAccount) -> EngineUnavailable:
    address, key = account.variable("base_url"), account.key_variable
    return EngineUnavailable(f"{account.vendor} cannot be addressed; check {address} and {key}.")


def malformed(account: CloudAccount) -> EngineUnavailable:
    address = account.variable("base_url")
    return EngineUnavailable(f"{account.vendor} answers what its documentation does not; check {address}.")


@contextmanager
def reading(account: CloudAccount) -> Iterator[None]:
    """Turn any failure to parse an answer into the error of a malformed answer."""
    try:
        yield
    except (ArithmeticError, AttributeError, LookupError, RecursionError, TypeError, ValueError):
        raise malformed(account) from None


def number(value: Any) -> float:
    """Return a JSON number, or one in quotes.

    Raises:
        ValueError: not a number, or not finite.
    """
    found = float(value)
    if isinstance(value, bool) or not math.isfinite(found):
        raise ValueError("no finite number")
    return found


def string(value: Any) -> str:
    """Return a JSON string, stripped.

    Raises:
        TypeError: something else.
    """
    if not isinstance(value, str):
        raise TypeError("no string")
    return value.strip()
