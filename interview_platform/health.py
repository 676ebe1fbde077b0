"""/health: this process answers. /ready: its stores answer and speech is warm."""

from collections.abc import Callable

from django.conf import settings
from django.core.files.storage import default_storage
from django.db import connection
from django.http import HttpRequest, JsonResponse
from django.views.decorators.http import require_safe

from voice import engine_reports, hot_audio


@require_safe
def health(request: HttpRequest) -> JsonResponse:
    """200 as long as the process can answer at all."""
    return JsonResponse({"status": "ok"})


@require_safe
def ready(request: HttpRequest) -> JsonResponse:
    """200 when every part works, else 503; either way each part with "ok" or what is wrong."""
    parts = {
        "postgresql": _check(_query),
        "redis": _check(hot_audio.sync_client().ping),
        "storage": _check(lambda: default_storage.exists("ready")),
        "recognition": _check(lambda: _engine_is_warm("recognition")),
        "synthesis": _check(lambda: _engine_is_warm("synthesis")),
    }
    is_ready = all(state == "ok" for state in parts.values())
    return JsonResponse({"ready": is_ready, "parts": parts}, status=200 if is_ready else 503)


class NotReady(Exception):
    """A part that answers but cannot work yet."""


def _check(part: Callable[[], object]) -> str:
    try:
        part()
    except Exception as error:  # noqa: BLE001  whatever a store's library raises, the answer is "not ready"
        return str(error) if isinstance(error, NotReady) else type(error).__name__
    return "ok"


def _query() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")


def _engine_is_warm(direction: str) -> None:
    if not engine_reports.ready(direction):
        names = ", ".join(settings.VOICE["STT_ENGINES" if direction == "recognition" else "TTS_ENGINES"])
        raise NotReady(f"no worker has a warm engine yet (configured: {names})")
