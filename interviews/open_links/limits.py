"""How often an open link may be asked for an invitation: by a network, for an address, and in all."""

from django.http import HttpRequest
from django.utils.crypto import salted_hmac

from accounts.networks import address_of, network_of
from interviews.models import OpenLink
from voice.capacity import allowances
from voice.capacity.allowances import Policy

HOUR_S, DAY_S = 3600, 24 * 3600
OF_NETWORK = Policy("open-link-network", limit=30, window_s=HOUR_S)
"""A school or an office shares one network; a program that fills in forms needs more."""
OF_ADDRESS = Policy("open-link-address", limit=3, window_s=DAY_S)
"""So that the form cannot fill a mailbox."""
OF_LINK = Policy("open-link", limit=600, window_s=HOUR_S)
"""From however many networks they come."""


def wait_s(request: HttpRequest, link: OpenLink) -> int | None:
    """Count a request. Return in how many seconds this network may ask again, if it asks too often."""
    counted = [
        allowances.count_in_thread(OF_NETWORK, network_of(address_of(request))),
        allowances.count_in_thread(OF_LINK, str(link.pk)),
    ]
    return max((each.reset_s for each in counted if each.is_exceeded), default=None)


def may_mail(address: str) -> bool:
    """Count a mail to this address. Return whether it may be sent; no page tells."""
    account = salted_hmac("open-link", address.strip().casefold(), algorithm="sha256").hexdigest()[:32]
    return not allowances.count_in_thread(OF_ADDRESS, account).is_exceeded
