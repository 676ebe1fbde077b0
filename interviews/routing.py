"""WebSocket addresses of the product."""

from django.urls import path

from interviews.candidate.consumer import CandidateConsumer
from interviews.watching.consumer import WatcherConsumer

websocket_urlpatterns = [path("ws/interviews/<str:token>/", CandidateConsumer.as_asgi())]
of_staff = [path("ws/watching/", WatcherConsumer.as_asgi())]
"""For members of organisations who are signed in."""
