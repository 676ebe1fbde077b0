"""Where a request comes from: its address, and the network of one household or office around it."""

from collections.abc import Iterable
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network

from django.conf import settings
from django.http import HttpRequest

PREFIX_BITS = {4: 24, 6: 64}
"""Length of a network's prefix by IP version: one subscriber usually has a whole /64."""


def client_address(socket_address: str, forwarded_for: str) -> str:
    """Return a request's IP address: behind a proxy the one it reports, else that of the socket.

    forwarded_for: X-Forwarded-For. Only its last address comes from the proxy; clients may send the others.
    """
    last = forwarded_for.rpartition(",")[2].strip() if settings.BEHIND_PROXY else ""
    return last or socket_address


def address_of(request: HttpRequest) -> str:
    """Return the IP address of a request."""
    meta = request.META
    return client_address(meta.get("REMOTE_ADDR", ""), meta.get("HTTP_X_FORWARDED_FOR", ""))


def is_within(address: str, networks: Iterable[str]) -> bool:
    """Whether an IP address is in one of the networks; what is no address is in none."""
    try:
        parsed = _parsed(address)
    except ValueError:
        return False
    return any(parsed in ip_network(network) for network in networks)


def network_of(address: str) -> str:
    """Return the network of an IP address, as "203.0.113.0/24"; "unknown" if it is no address."""
    try:
        parsed = _parsed(address)
    except ValueError:
        return "unknown"
    return str(ip_network(f"{parsed}/{PREFIX_BITS[parsed.version]}", strict=False))


def _parsed(address: str) -> IPv4Address | IPv6Address:
    """Return an IP address. Raises ValueError."""
    parsed = ip_address(address)
    mapped = getattr(parsed, "ipv4_mapped", None)  # ::ffff:203.0.113.9, of a socket for both versions
    return mapped or parsed
