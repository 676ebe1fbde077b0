"""The address at which the mail service tells what became of e-mails."""

import logging
from collections.abc import Callable
from importlib import import_module

from django.conf import settings
from django.core.exceptions import SuspiciousOperation
from django.http import HttpRequest, HttpResponse, HttpResponseBadRequest, HttpResponseForbidden
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods

logger = logging.getLogger(__name__)

OF_TRACKING = ("TrackingWebhookView", "CombinedWebhookView")
"""How django-anymail's names end of the views that take such events; each service has one."""
WRONG = (ValueError, TypeError, LookupError, AttributeError)
"""What reading a body raises that is none of the service's."""


@csrf_exempt
@require_http_methods(["POST", "HEAD"])
def mail_events(request: HttpRequest) -> HttpResponse:
    """Take events of the service of `settings.MAIL_SERVICE`. Its secret is checked before anything is read.

    Closed without a service, and without a secret: then anybody could say that e-mails came back.
    HEAD: some services look so whether there is such an address.
    """
    if not settings.MAIL_SERVICE or not settings.ANYMAIL.get("WEBHOOK_SECRET"):
        return HttpResponseForbidden()
    try:
        return _view(settings.MAIL_SERVICE)(request)
    except SuspiciousOperation:  # the secret or the signature is wrong, or the body too large
        return HttpResponseForbidden()
    except WRONG as error:
        logger.warning("an event of the mail service could not be read (%s)", type(error).__name__)
        return HttpResponseBadRequest()


def _view(service: str) -> Callable[[HttpRequest], HttpResponse]:
    module = import_module(f"anymail.webhooks.{service}")
    views = [view for name, view in vars(module).items() if name.endswith(OF_TRACKING)]
    return views[-1].as_view()
