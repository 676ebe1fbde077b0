"""ASGI application: HTTP to Django, WebSockets to the consumers (interview_platform.routing)."""

import os

from django.conf import settings

from interview_platform import http

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "interview_platform.settings")
django_application = http.application()  # loads the apps, so it comes before the routes

from channels.routing import ProtocolTypeRouter, URLRouter  # noqa: E402

from interview_platform import server, uploads  # noqa: E402
from interview_platform.routing import websocket_urlpatterns  # noqa: E402

server.install(drain_s=settings.DRAIN_S)
uploads.install()

application = ProtocolTypeRouter(
    {
        "http": django_application,
        "websocket": URLRouter(websocket_urlpatterns),
    }
)
