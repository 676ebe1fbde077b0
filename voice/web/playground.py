"""The playground: type text and listen, speak and read, on one page.

It uses the same addresses as other clients: `/ws/tts`, `/ws/asr` and the REST API.
"""

import json
from functools import cache
from typing import Any

from django.conf import settings
from django.contrib.auth.decorators import user_passes_test
from django.http import HttpRequest, HttpResponse
from django.middleware.csrf import get_token
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from voice.engines.registry import LANGUAGES, EngineConfig, recognition_engines
from voice.service.requests import MAX_SPEED, MIN_SPEED
from voice.speech.voice_samples import sample_text
from voice.text import transcripts

SUBTITLE_TYPES = {"srt": "application/x-subrip", "vtt": "text/vtt"}
WITHOUT_SCORES = {"avg_logprob": 0.0, "no_speech_prob": 0.0}
"""A live `final` has no scores, and subtitles do not show them."""


def _may_try(user: Any) -> bool:
    return settings.VOICE["IS_PUBLIC"] or (user.is_active and user.is_staff)


@never_cache
@user_passes_test(_may_try)
@require_safe
def playground(request: HttpRequest) -> HttpResponse:
    """Show the page to staff, or to everyone if the speech service is public."""
    context = {
        "max_chars": settings.VOICE["MAX_TEXT_CHARS"],
        "max_upload_mb": settings.VOICE["MAX_UPLOAD_MB"],
        "min_speed": MIN_SPEED,
        "max_speed": MAX_SPEED,
        "is_staff": request.user.is_staff,  # shows the link back to the admin
        "playground": {
            "csrf_token": get_token(request),
            "language": settings.VOICE["LANGUAGE"],
            "recognised": recognised_languages(),
            "samples": {code: text for code in LANGUAGES if (text := sample_text(code))},
        },
    }
    return render(request, "voice/playground.html", context)


@require_POST
def subtitles(request: HttpRequest, extension: str) -> HttpResponse:
    """Return the page's {segments} as a file of subtitles, without a new transcription."""
    if not _may_try(request.user):
        return HttpResponse(status=403)
    try:
        segments = [WITHOUT_SCORES | segment for segment in json.loads(request.body)["segments"]]
        text = transcripts.as_text({"segments": segments}, extension)
    except (ValueError, KeyError, TypeError, AttributeError, ArithmeticError, RecursionError):
        return HttpResponse(status=422)  # the page never sends this
    return HttpResponse(text, content_type=f"{SUBTITLE_TYPES[extension]}; charset=utf-8")


@cache
def recognised_languages() -> tuple[str, ...]:
    """Return the codes of the languages that a configured engine recognises. Loads no model."""
    engines = recognition_engines(EngineConfig.from_settings(settings.VOICE))
    return tuple(code for code in sorted(LANGUAGES) if any(engine.supports(code) for engine in engines))
