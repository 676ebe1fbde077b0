"""ASGI application: HTTP to Django, WebSockets to the consumers (interview_platform.routing)."""

import os

from django.conf import settings

from interview_platform.server import request_threads

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "interview_platform.settings")
django_application = request_threads.application()  # loads the apps, which the routes need

from channels.routing import ProtocolTypeRouter, URLRouter  # noqa: E402

from interview_platform.routing import websocket_urlpatterns  # noqa: E402
from interview_platform.server import daphne, uploads  # noqa: E402
from interview_platform.server.correlated import Correlated  # noqa: E402
from interview_platform.web import large_bodies  # noqa: E402

daphne.install(drain_s=settings.DRAIN_S, sockets=websocket_urlpatterns)
uploads.install(check=large_bodies.refusal)

application = Correlated(
    ProtocolTypeRouter(
        {
            "http": django_application,
            "websocket": URLRouter(websocket_urlpatterns),
        }
    )
)
