"""The admin page "Speech engines": what each engine does right now, and what to do about it."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

import redis
from django.conf import settings
from django.contrib import admin
from django.db.models import Count
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from voice import engine_reports, hot_audio, queues
from voice.engine_reports import EngineReport
from voice.models import Speech, Transcript

STATE_NAMES = {
    "ready": _("ready"),
    "standby": _("on standby"),
    "loading": _("loading"),
    "unavailable": _("not available"),
    "stuck": _("stuck"),
}
STATE_MEANINGS = {
    "ready": _("Its model is in memory and it is working."),
    "standby": _("It takes over when those before it cannot serve. Nothing to do."),
    "loading": _(
        "Its model is being loaded or fetched. This takes from seconds to minutes, the first time longest."
    ),
    "unavailable": _("It cannot work here; the next engine serves instead. The message says what to change."),
    "stuck": _(
        "A call did not come back and the process was ended. Work is tried again by itself. If this happens "
        "often, choose a smaller model."
    ),
}
STATE_VARIANTS = {
    "ready": "success",
    "standby": "info",
    "loading": "info",
    "unavailable": "warning",
    "stuck": "danger",
}
QUEUE_NAMES = {
    "stt": _("recordings to recognise"),
    "stt-partial": _("live captions"),
    "tts": _("questions to speak"),
    "default": _("recordings to store, and housekeeping"),
}
NAMES = {"recognition": _("Speech to text"), "synthesis": _("Text to speech")}
CONFIGURED = {"recognition": "STT_ENGINES", "synthesis": "TTS_ENGINES"}


@dataclass(frozen=True, slots=True)
class EngineRow:
    """One engine in one process, in words."""

    report: EngineReport
    seen_s: int

    @property
    def state(self) -> str:
        return str(STATE_NAMES.get(self.report.state, self.report.state))

    @property
    def meaning(self) -> str:
        return str(STATE_MEANINGS.get(self.report.state, ""))

    @property
    def variant(self) -> str:
        return STATE_VARIANTS.get(self.report.state, "")


class Verdict(NamedTuple):
    """How a direction stands: the kind of label, its word, and a sentence."""

    variant: str
    word: str
    sentence: str


@dataclass(frozen=True, slots=True)
class Direction:
    """Speech to text, or text to speech: its engines in the order they are tried, and a verdict."""

    name: str
    rows: list[EngineRow]
    configured: list[str]

    @property
    def verdict(self) -> "Verdict":
        ready = {row.report.engine for row in self.rows if row.report.state == "ready"}
        first = self.configured[0] if self.configured else ""
        if not self.rows:
            return Verdict(
                "danger",
                gettext("down"),
                gettext("No worker is running. Start the workers; interviews go on meanwhile."),
            )
        if not ready:
            return Verdict(
                "warning",
                gettext("waiting"),
                gettext("No engine is ready yet. Interviews go on, and what waits is done later."),
            )
        if first not in ready:
            words = {"used": ", ".join(sorted(ready)), "first": first}
            return Verdict(
                "warning",
                gettext("second choice"),
                gettext("%(used)s serves, because %(first)s does not.") % words,
            )
        return Verdict("success", gettext("good"), gettext("%s serves.") % first)


def directions() -> list[Direction]:
    """Both directions as they are now. Raises redis.RedisError."""
    now = _redis_now()
    rows = [EngineRow(report, max(0, round(now - report.at))) for report in engine_reports.current()]
    return [_direction(name, [row for row in rows if row.report.direction == name]) for name in NAMES]


def _redis_now() -> float:
    """Seconds of Unix time by the clock that the reports are stamped with."""
    seconds, microseconds = hot_audio.sync_client().time()
    return seconds + microseconds / 1e6


def _direction(name: str, rows: list[EngineRow]) -> Direction:
    configured = list(settings.VOICE[CONFIGURED[name]])
    if name == "recognition" and not settings.VOICE["WHISPER_MODEL"]:
        configured = [engine for engine in configured if engine != "faster_whisper"]
    place = {engine: index for index, engine in enumerate(configured)}
    ordered = sorted(rows, key=lambda r: (place.get(r.report.engine, 99), r.report.host, r.report.pid))
    return Direction(str(NAMES[name]), ordered, configured)


def _voices_in_use() -> list[Any]:
    """Which voices have spoken how many texts; no text, for it may belong to another organisation."""
    ready = Speech.objects.filter(status=Speech.Status.READY)
    rows = ready.values("language", "engine", "engine_voice", "is_last_resort").annotate(texts=Count("pk"))
    return list(rows.order_by("-is_last_resort", "language", "engine_voice"))


def _or_none(read: Callable) -> object:
    try:
        return read()
    except redis.RedisError:
        return None


def engines_page(request: HttpRequest) -> HttpResponse:
    """Engines, queues and voices. For everybody who may sign in: it shows nothing of an organisation."""
    context = {
        **admin.site.each_context(request),
        "title": _("Speech engines"),
        "directions": _or_none(directions),
        "queues": _or_none(
            lambda: [(name, QUEUE_NAMES.get(name, ""), queues.length(name)) for name in settings.QUEUE_NAMES]
        ),
        "voices": _voices_in_use(),
        "failed_speech": Speech.objects.filter(status=Speech.Status.FAILED).count(),
        "waiting_transcripts": Transcript.objects.filter(status=Transcript.Status.WAITING).count(),
        "failed_transcripts": Transcript.objects.filter(status=Transcript.Status.FAILED).count(),
    }
    return TemplateResponse(request, "admin/voice/engines.html", context)
