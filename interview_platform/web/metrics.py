"""The page that Prometheus scrapes.

django-prometheus' own page would omit the metrics in Redis when several processes count together.
"""

from django.http import HttpRequest, HttpResponse
from prometheus_client import CONTENT_TYPE_LATEST

from voice.monitoring import prometheus


def metrics(request: HttpRequest) -> HttpResponse:
    """Return every metric of this machine and the metrics shared by all machines."""
    return HttpResponse(prometheus.text(), content_type=CONTENT_TYPE_LATEST)
