"""Webhooks never reach into our own network, whatever a name resolves to, and when."""

import socket
from ipaddress import ip_address, ip_network

import httpcore
import pytest

from interviews.webhooks import outside

pytestmark = pytest.mark.asyncio

INSIDE = [
    *("127.0.0.1", "127.8.8.8", "0.0.0.0", "10.0.0.1", "172.16.3.4", "192.168.1.1", "100.64.0.1"),
    *("169.254.169.254", "198.18.0.1", "192.0.2.1", "224.0.0.1", "255.255.255.255"),
    *("::1", "::", "fe80::1", "fc00::1", "fd12::3", "ff02::1", "2001:db8::1"),
    *("::ffff:127.0.0.1", "::ffff:10.0.0.1", "64:ff9b::7f00:1", "64:ff9b::a00:1", "2002:7f00:1::"),
]
PUBLIC = ["93.184.216.34", "2606:2800:220:1::1", "64:ff9b::5db8:d822"]


@pytest.fixture(autouse=True)
def nothing_allowed(settings):
    settings.WEBHOOK_NETWORKS = []


class Recorded:
    """A network that notes where it was asked to connect, and lets nothing through."""

    def __init__(self):
        self.asked = []

    async def connect_tcp(self, host, *rest):
        self.asked.append(host)
        raise httpcore.ConnectError


@pytest.fixture
def network():
    network = outside.OutsideNetwork()
    network._backend = Recorded()
    return network


def resolve(monkeypatch, *answers):
    """Let any name resolve to the first of the answers, then to the next."""
    looks = iter(answers)

    def getaddrinfo(host, port, *rest, **named):
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (each, port)) for each in next(looks)]

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)


@pytest.mark.parametrize("address", INSIDE)
async def test_address_inside_is_not_allowed(address):
    assert not outside.is_allowed(ip_address(address))


@pytest.mark.parametrize("address", PUBLIC)
async def test_public_address_is_allowed(address):
    assert outside.is_allowed(ip_address(address))


async def test_network_that_the_operator_names_is_allowed(settings):
    settings.WEBHOOK_NETWORKS = [ip_network("10.1.0.0/16")]
    assert outside.is_allowed(ip_address("10.1.2.3"))
    assert not outside.is_allowed(ip_address("10.2.2.3"))


@pytest.mark.parametrize("host", ["localhost", "127.1", "2130706433", "0x7f.1", "[::1]".strip("[]")])
async def test_name_of_this_machine_is_refused_before_anything_is_sent(network, host):
    with pytest.raises(httpcore.ConnectError):
        await network.connect_tcp(host, 80)
    assert network._backend.asked == []


async def test_name_with_a_private_address_is_connected_to_at_its_public_one_only(network, monkeypatch):
    resolve(monkeypatch, ["10.0.0.1", "93.184.216.34"])
    with pytest.raises(httpcore.ConnectError):
        await network.connect_tcp("mixed.example.com", 443)
    assert network._backend.asked == ["93.184.216.34"]


async def test_name_that_changes_at_the_second_look_gains_nothing(network, monkeypatch):
    resolve(monkeypatch, ["93.184.216.34"], ["127.0.0.1"])
    with pytest.raises(httpcore.ConnectError):
        await network.connect_tcp("rebinding.example.com", 443)
    with pytest.raises(outside.NotAllowed):
        await network.connect_tcp("rebinding.example.com", 443)
    assert network._backend.asked == ["93.184.216.34"], "the address that was checked, not the name"
