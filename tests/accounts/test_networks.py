"""The network of an address."""

import pytest

from accounts.networks import network_of


@pytest.mark.parametrize(
    ("address", "network"),
    [
        ("203.0.113.9", "203.0.113.0/24"),
        ("::ffff:203.0.113.9", "203.0.113.0/24"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("127.0.0.1", "127.0.0.0/24"),
        ("", "unknown"),
        ("a socket", "unknown"),
    ],
)
def test_network_is_what_one_subscriber_has(address, network):
    assert network_of(address) == network
