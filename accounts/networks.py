"""Where a request comes from: its address, and the network of one household or office around it."""

from ipaddress import ip_address, ip_network

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


def network_of(address: str) -> str:
    """Return the network of an IP address, as "203.0.113.0/24"; "unknown" if it is no address."""
    try:
        parsed = ip_address(address)
    except ValueError:
        return "unknown"
    mapped = getattr(parsed, "ipv4_mapped", None)  # ::ffff:203.0.113.9, of a socket for both versions
    parsed = mapped or parsed
    return str(ip_network(f"{parsed}/{PREFIX_BITS[parsed.version]}", strict=False))
