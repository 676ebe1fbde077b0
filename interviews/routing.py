"""WebSocket addresses of the product."""

from django.urls import path

from interviews.candidate.consumer import CandidateConsumer

websocket_urlpatterns = [path("ws/interviews/<str:token>/", CandidateConsumer.as_asgi())]
