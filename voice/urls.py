"""HTTP addresses of the speech service."""

from django.urls import path, re_path

from voice.web import views
from voice.web.playground import playground, subtitles

app_name = "voice"
urlpatterns = [
    re_path(r"^speech/(?P<key>[0-9a-f]{64})\.flac$", views.play_speech, name="speech"),
    path("recordings/<str:token>", views.play_recording, name="recording"),
    path("playground", playground, name="playground"),
    re_path(r"^playground/transcript\.(?P<extension>srt|vtt)$", subtitles, name="playground-subtitles"),
]
