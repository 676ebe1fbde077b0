"""WebSocket addresses of the speech service. The project that mounts them puts the caller into the scope."""

from django.urls import re_path

from voice.sockets.asr import AsrConsumer
from voice.sockets.tts import TtsConsumer
from voice.sockets.voice import VoiceSocketConsumer

websocket_urlpatterns = [
    re_path(r"^ws/asr/?$", AsrConsumer.as_asgi()),
    re_path(r"^ws/tts/?$", TtsConsumer.as_asgi()),
    re_path(r"^ws/voice/?$", VoiceSocketConsumer.as_asgi()),
]
