"""The page that Prometheus scrapes, for those who may: by token or by network.

django-prometheus' own page would omit the metrics in Redis when several processes count together. A worker
has the same page on a port of its own (`WORKER_PORT`).
"""

import ipaddress

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.utils.crypto import constant_time_compare
from prometheus_client.exposition import choose_encoder

from accounts.networks import address_of
from voice.monitoring import prometheus

REFUSAL = (
    "Metrics are for those who send METRICS_TOKEN, as Authorization: Bearer, "
    "or ask from one of METRICS_NETWORKS.\n"
)


def metrics(request: HttpRequest) -> HttpResponse:
    """Return every metric of this machine and the metrics shared by all machines; 401 to strangers."""
    if not (settings.DEBUG or _has_token(request) or _is_near(address_of(request))):
        headers = {"WWW-Authenticate": "Bearer"}
        return HttpResponse(REFUSAL, status=401, content_type="text/plain", headers=headers)
    encode, content_type = choose_encoder(request.headers.get("Accept", ""))
    return HttpResponse(prometheus.text(encode), content_type=content_type)


def _has_token(request: HttpRequest) -> bool:
    kind, _, token = request.headers.get("Authorization", "").partition(" ")
    wanted = settings.METRICS_TOKEN
    return bool(wanted) and kind.lower() == "bearer" and constant_time_compare(token.strip(), wanted)


def _is_near(address: str) -> bool:
    """Whether the address is in one of `METRICS_NETWORKS`."""
    try:
        asking = ipaddress.ip_address(address)
    except ValueError:  # a Unix socket has none
        return False
    asking = getattr(asking, "ipv4_mapped", None) or asking
    return any(asking in network for network in settings.METRICS_NETWORKS)
