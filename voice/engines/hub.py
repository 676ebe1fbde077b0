"""Downloads from the model hub. It is checked for an answer before any download, so that nothing hangs."""

from __future__ import annotations

import http.client
import os
import tempfile
import threading
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Final

from voice.errors import EngineUnavailable

DEFAULT_HUB: Final = "https://huggingface.co"
BLOCK_BYTES: Final = 1 << 18

Progress = Callable[[int, int | None], None]
"""Called with the bytes fetched so far and the size in bytes, if the hub states it."""


def hub_address() -> str:
    """Return the hub's address without a closing slash; HF_ENDPOINT overrides it."""
    return (os.environ.get("HF_ENDPOINT") or DEFAULT_HUB).rstrip("/")


def check_hub(timeout_s: float) -> None:
    """Return as soon as the hub has sent any answer.

    Raises:
        EngineUnavailable: no answer within `timeout_s`, or HF_HUB_OFFLINE is set.
    """
    if os.environ.get("HF_HUB_OFFLINE", "").lower() in {"1", "on", "true", "yes"}:
        raise EngineUnavailable(
            "HF_HUB_OFFLINE is set and the model is not in the cache; unset it or copy the model."
        )
    failures: list[str] = []
    # A name lookup has no timeout, so it runs in a thread, which is abandoned if it does not return.
    attempt = threading.Thread(target=_knock, args=(timeout_s, failures), daemon=True, name="hub-preflight")
    attempt.start()
    attempt.join(timeout_s)
    if attempt.is_alive():
        failures.append(f"no answer within {timeout_s:g} s")
    if failures:
        raise EngineUnavailable(
            f"The model hub {hub_address()} cannot be reached ({failures[0]}). "
            "Connect this machine, set HF_ENDPOINT to a mirror, or configure a local model directory."
        )


def cached_or_fetched(fetch: Callable[[bool], str], *, name: str, timeout_s: float) -> str:
    """Return what `fetch(is_local_only)`, a download of the hub's client, finds in its cache or else fetches.

    Raises:
        EngineUnavailable: not in the cache, and the hub does not answer within `timeout_s` or lacks it.
    """
    from huggingface_hub.errors import LocalEntryNotFoundError

    try:
        return fetch(True)
    except LocalEntryNotFoundError:
        check_hub(timeout_s)
    try:
        return fetch(False)
    except transfer_failures() as error:
        raise EngineUnavailable(
            f"{name} could not be downloaded ({error}); check the name, or copy it and name its directory."
        ) from error


def transfer_failures() -> tuple[type[Exception], ...]:
    """The errors of a transfer through the hub's client."""
    from huggingface_hub.errors import HfHubHTTPError

    # The base class is the error of the HTTP library that the client uses: requests, httpx or httpx2.
    return (OSError, HfHubHTTPError.__bases__[0])


def fetch_file(path: str, target: Path, *, timeout_s: float, progress: Progress | None = None) -> None:
    """Fetch `path` of the hub into the file `target`, which appears complete or not at all.

    timeout_s: the longest wait for the next bytes.

    Raises:
        EngineUnavailable: the file does not exist there or the transfer broke off.
    """
    address = f"{hub_address()}/{path}"
    target.parent.mkdir(parents=True, exist_ok=True)
    handle, scratch = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}.")
    try:
        with os.fdopen(handle, "wb") as file, _opened(address, timeout_s) as answer:
            _copy(answer, file.write, progress)
        Path(scratch).chmod(0o644)  # mkstemp's own mode would hide the file from other users
        Path(scratch).replace(target)
    except (OSError, http.client.HTTPException) as error:
        raise EngineUnavailable(
            f"{address} could not be fetched ({error}); check the name and try again."
        ) from error
    finally:
        Path(scratch).unlink(missing_ok=True)


def _knock(timeout_s: float, failures: list[str]) -> None:
    try:
        _opened(hub_address(), timeout_s, method="HEAD").close()
    except urllib.error.HTTPError as answer:
        answer.close()  # an error status is an answer too
    except (OSError, ValueError, http.client.HTTPException) as error:
        failures.append(str(getattr(error, "reason", error)))


def _opened(address: str, timeout_s: float, *, method: str = "GET") -> http.client.HTTPResponse:
    # The operator sets HF_ENDPOINT and so decides on the scheme.
    request = urllib.request.Request(address, method=method)  # noqa: S310
    answer: http.client.HTTPResponse = urllib.request.urlopen(request, timeout=timeout_s)  # noqa: S310
    return answer


def _copy(answer: http.client.HTTPResponse, write: Callable[[bytes], int], progress: Progress | None) -> None:
    length = answer.headers.get("Content-Length")
    size = int(length) if length else None
    done = 0
    while block := answer.read(BLOCK_BYTES):
        write(block)
        done += len(block)
        if progress:
            progress(done, size)
    if size is not None and done < size:
        raise http.client.IncompleteRead(b"", size - done)
