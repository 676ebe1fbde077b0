"""Connections to addresses that other people chose: never into our own network.

The address that is connected to is the one that was checked, so a name that resolves to another address at
the second look gains nothing. `WEBHOOK_NETWORKS` are allowed besides.
"""

import asyncio
import ipaddress
import socket
import ssl
from collections.abc import Iterable

import httpcore
from django.conf import settings

Address = ipaddress.IPv4Address | ipaddress.IPv6Address


class NotAllowed(httpcore.ConnectError):
    """The name has no address outside private, loopback and link-local networks."""


class OutsideNetwork(httpcore.AsyncNetworkBackend):
    """Resolves, checks and connects."""

    def __init__(self) -> None:
        self._backend = httpcore.AnyIOBackend()

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ASYNC109  the interface of httpcore
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        """Connect to the first of the name's addresses that is allowed and answers.

        Raises:
            NotAllowed: none of them is allowed.
            httpcore.ConnectError: the name is unknown, or nothing answers.
        """
        allowed = [address for address in await _addresses(host, port) if is_allowed(address)]
        if not allowed:
            raise NotAllowed
        for address in allowed[:-1]:
            try:
                return await self._backend.connect_tcp(
                    str(address), port, timeout, local_address, socket_options
                )
            except (httpcore.ConnectError, httpcore.ConnectTimeout):
                continue
        return await self._backend.connect_tcp(str(allowed[-1]), port, timeout, local_address, socket_options)

    async def sleep(self, seconds: float) -> None:
        await self._backend.sleep(seconds)


def is_allowed(address: Address) -> bool:
    """Whether we connect to it: it is public, or the operator named its network."""
    if any(
        address.version == network.version and address in network for network in settings.WEBHOOK_NETWORKS
    ):
        return True
    inner = getattr(address, "ipv4_mapped", None) or getattr(address, "sixtofour", None)
    if inner is not None and not inner.is_global:
        return False
    if address.version == 6 and address in NAT64:
        return ipaddress.IPv4Address(int(address) & 0xFFFFFFFF).is_global
    return address.is_global and not address.is_multicast


NAT64 = ipaddress.ip_network("64:ff9b::/96")


async def _addresses(host: str, port: int) -> list[Address]:
    loop = asyncio.get_running_loop()
    try:
        found = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        raise httpcore.ConnectError("the name is unknown") from None
    return [ipaddress.ip_address(str(sockaddr[0]).partition("%")[0]) for *_rest, sockaddr in found]


def connections(*, at_most: int) -> httpcore.AsyncConnectionPool:
    """Return a pool of connections, with the certificates that the machine trusts."""
    return httpcore.AsyncConnectionPool(
        ssl_context=ssl.create_default_context(),
        max_connections=at_most,
        network_backend=OutsideNetwork(),
    )
