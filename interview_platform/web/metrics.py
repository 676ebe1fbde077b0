"""What Prometheus scrapes.

django-prometheus' own page would leave out what lies in Redis when several processes count together.
"""

from django.http import HttpRequest, HttpResponse
from prometheus_client import CONTENT_TYPE_LATEST

from voice.monitoring import prometheus


def metrics(request: HttpRequest) -> HttpResponse:
    """Every metric of this machine, and what all machines share."""
    return HttpResponse(prometheus.text(), content_type=CONTENT_TYPE_LATEST)
