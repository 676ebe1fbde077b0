"""Every WebSocket address."""

from interviews.routing import websocket_urlpatterns as interviews

websocket_urlpatterns = [*interviews]
