"""A WebSocket to a vendor: one conversation, then closed. Failures raise the same errors as over HTTP."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any, Final

from voice.engines.cloud.account import CloudAccount
from voice.engines.cloud.connection import (
    CONNECT_S,
    malformed,
    misaddressed,
    refused,
    timed_out,
    unreachable,
)
from voice.errors import EngineUnavailable, VoiceError

if TYPE_CHECKING:
    from websockets.sync.client import ClientConnection

LIMIT_BYTES: Final = 16 * 1024 * 1024  # of one message
POLICY_VIOLATION: Final = 1008  # Source: RFC 6455, section 7.4.1; ElevenLabs closes with it on a wrong key


@contextmanager
def conversation(
    account: CloudAccount, address: str, *, headers: Mapping[str, str], refusal: type[VoiceError]
) -> Iterator[ClientConnection]:
    """Open a socket; it is closed at the end in any case.

    Raises:
        refusal, TransientFailure, EngineUnavailable: see `voice.engines.cloud.connection.refused`.
    """
    import websockets.exceptions
    from websockets.sync.client import connect

    try:
        with connect(
            address,
            additional_headers=dict(headers),
            open_timeout=min(CONNECT_S, account.timeout_s),
            close_timeout=1.0,
            max_size=LIMIT_BYTES,
            compression=None,  # audio hardly shrinks
            create_connection=_straight_connection(account, refusal),
        ) as socket:
            yield socket
    except websockets.exceptions.InvalidURI:
        raise misaddressed(account) from None
    except websockets.exceptions.ConnectionClosed as error:
        if error.rcvd is not None and error.rcvd.code == POLICY_VIOLATION:
            raise refused(account, 403, refusal) from None
        raise unreachable(account, "closed early") from None
    except websockets.exceptions.WebSocketException:
        raise malformed(account) from None
    except TimeoutError:
        raise timed_out(account) from None
    except OSError as error:
        raise unreachable(account, type(error).__name__) from None


def _straight_connection(account: CloudAccount, refusal: type[VoiceError]) -> type[ClientConnection]:
    """Return a connection type without redirects: `websockets` would send the key along in its header."""
    from websockets.exceptions import InvalidStatus
    from websockets.sync.client import ClientConnection

    class StraightConnection(ClientConnection):
        def handshake(self, *args: Any, **options: Any) -> None:
            try:
                super().handshake(*args, **options)
            except InvalidStatus as error:
                raise refused(account, error.response.status_code, refusal) from None

    return StraightConnection


def check_websockets(vendor: str) -> None:
    """Check that the package is installed.

    Raises:
        EngineUnavailable: the package is missing.
    """
    try:
        import websockets.sync.client  # noqa: F401
    except ImportError as error:
        raise EngineUnavailable(
            f"The package 'websockets' is missing; install 'interview-platform[{vendor}]'."
        ) from error


def send_all(socket: ClientConnection, messages: Iterable[str]) -> None:
    """Send until all is sent or the vendor closes; messages received before the close can still be read."""
    from websockets.exceptions import ConnectionClosed

    with suppress(ConnectionClosed):
        for message in messages:
            socket.send(message)


def received_until(socket: ClientConnection, deadline: float) -> Iterator[Any]:
    """Yield messages until the vendor closes normally.

    Raises:
        TimeoutError: none came before `deadline` (of `time.monotonic`).
    """
    from websockets.exceptions import ConnectionClosedOK

    while True:
        try:
            yield socket.recv(timeout=max(0.0, deadline - time.monotonic()))
        except ConnectionClosedOK:
            return
