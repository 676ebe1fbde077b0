"""The admin page "Speech engines": the state of each engine, and what to do about it."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, NamedTuple, cast

import redis
from django.conf import settings
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import Count
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.utils import timezone
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from voice import types
from voice.capacity import shedding
from voice.capacity.shedding import Step, StepOff
from voice.engines.registry import EngineConfig, recognition_names
from voice.inference import breaker, reports
from voice.inference.breaker import Breaker, BreakerState
from voice.inference.reports import EngineReport
from voice.infra import redis_clients
from voice.models import Speech, Transcript
from voice.monitoring import prometheus
from voice.queues import waits
from voice.queues.waits import Wait
from voice.speech import cache

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
QUEUE_TITLES = {
    "stt": _("recordings to recognise"),
    "stt-gpu": _("recordings to recognise, where workers with a large model have a list of their own"),
    "stt-ahead": _("answers that are still being given"),
    "stt-partial": _("live captions"),
    "stt-later": _("recordings whose text may come later"),
    "stt-call": _("what programs wait to have recognised"),
    "stt-call-partial": _("live captions for programs"),
    "stt-batch": _("uploaded files to recognise"),
    "tts": _("questions to speak"),
    "tts-gpu": _("what voices speak that only some workers have"),
    "tts-call": _("what programs wait to have spoken"),
    "audio": _("uploaded files to convert"),
    "cron": _("housekeeping"),
    "default": _("recordings to store"),
}
STEP_NAMES = {
    Step.SPECULATION: _("Recognition ahead of the end"),
    Step.SEMANTIC: _("Judging pauses by the words"),
    Step.CAPTIONS: _("Live captions"),
    Step.HEARING: _("Hearing on the server"),
    Step.TRANSCRIPTS: _("Transcripts at once"),
    Step.NEWCOMERS: _("New candidates"),
}
STEP_MEANINGS = {
    Step.SPECULATION: _("An answer is recognised once it is over, so its text comes a little later."),
    Step.SEMANTIC: _("Silence alone tells when an answer is over."),
    Step.CAPTIONS: _("Candidates do not see their words while they speak."),
    Step.HEARING: _("Pages of candidates tell by themselves that an answer is over."),
    Step.TRANSCRIPTS: _("Answers are recorded as ever; their text follows."),
    Step.NEWCOMERS: _("Whoever comes now waits to be let in. Interviews under way go on."),
}
NAMES: dict[types.Direction, Any] = {
    "recognition": _("Speech to text"),
    "synthesis": _("Text to speech"),
}


@dataclass(frozen=True, slots=True)
class EngineRow:
    """One engine in one process, for display."""

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


@dataclass(frozen=True, slots=True)
class BreakerRow:
    """Whether calls reach an engine, for display. The same for all processes."""

    state: BreakerState

    @property
    def is_paused(self) -> bool:
        """Whether it is not called, or has not yet shown that it works again."""
        return self.state.name != "closed"

    @property
    def word(self) -> str:
        return gettext("paused") if self.state.name == "open" else gettext("on trial")

    @property
    def variant(self) -> str:
        return "danger" if self.state.name == "open" else "warning"

    @property
    def sentence(self) -> str:
        """Empty if there is nothing to report."""
        state, failed = self.state, gettext("The last failure: %s") % self.state.reason
        if state.name == "open":
            seconds = max(1, round(state.retry_after_s))
            pause = ngettext(
                "It kept failing and is left alone. Next try in %d second.",
                "It kept failing and is left alone. Next try in %d seconds.",
                seconds,
            )
            return f"{pause % seconds} {failed}"
        if state.name == "half_open":
            good = {"good": state.successes, "wanted": settings.BREAKER_SUCCESSES}
            return gettext("The next call tries it. %(good)d of %(wanted)d tries went well.") % good
        if not state.failures:
            return ""
        calls = ngettext(
            "%(count)d failed call since the last good one.",
            "%(count)d failed calls since the last good one.",
            state.failures,
        )
        return f"{calls % {'count': state.failures}} {failed}"


@dataclass(frozen=True, slots=True)
class QueueRow:
    """A queue, for display."""

    name: str
    wait: Wait

    @property
    def meaning(self) -> str:
        return str({**QUEUE_TITLES, **settings.QUEUE_TITLES}.get(self.name, ""))

    @property
    def oldest_s(self) -> int:
        return round(self.wait.oldest_s)


@dataclass(frozen=True, slots=True)
class StepRow:
    """A step that processes have switched off under load, for display."""

    off: StepOff
    since: datetime

    @property
    def name(self) -> str:
        return str(STEP_NAMES[self.off.step])

    @property
    def meaning(self) -> str:
        return str(STEP_MEANINGS[self.off.step])


class Retreat(NamedTuple):
    """The steps switched off under load, the first step first, and the number of monitored processes."""

    steps: list[StepRow]
    processes: int


class Verdict(NamedTuple):
    """The state of a direction: the kind of label, its word, and a sentence."""

    variant: str
    word: str
    sentence: str


@dataclass(frozen=True, slots=True)
class Direction:
    """Speech to text, or text to speech: its engines in the order of the chain, and a verdict."""

    name: str
    rows: list[EngineRow]
    breakers: list[BreakerRow]

    @property
    def verdict(self) -> "Verdict":
        ready, standby = self._engines("ready"), self._engines("standby")
        paused = {row.state.engine for row in self.breakers if row.state.name == "open"}
        first = self.breakers[0].state.engine if self.breakers else ""
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
        serving = {name.partition("@")[0] for name in ready - paused or standby - paused}
        if not serving:
            return Verdict(
                "danger",
                gettext("paused"),
                gettext("Every engine kept failing and is left alone for a while. What waits is done later."),
            )
        if first not in serving:
            words = {"used": ", ".join(sorted(serving)), "first": first}
            return Verdict(
                "warning",
                gettext("second choice"),
                gettext("%(used)s serves, because %(first)s does not.") % words,
            )
        return Verdict("success", gettext("good"), gettext("%s serves.") % first)

    def _engines(self, state: str) -> set[str]:
        return {row.report.engine for row in self.rows if row.report.state == state}


def directions() -> list[Direction]:
    """Return the current state of both directions. Raises redis.RedisError."""
    now = _redis_now()
    current = reports.with_origins(reports.current())
    rows = [EngineRow(report, max(0, round(now - report.at))) for report in current]
    return [_direction(name, [row for row in rows if row.report.direction == name]) for name in NAMES]


def queue_rows() -> list[QueueRow]:
    """All queues as they are now. Raises redis.RedisError."""
    queues = waits.read(settings.QUEUE_NAMES, redis_clients.sync_client())
    return [QueueRow(name, wait) for name, wait in queues.items()]


def retreat_now() -> Retreat:
    """Return the steps that are off now, over all processes. Raises redis.RedisError."""
    processes = shedding.processes(redis_clients.sync_client())
    now = timezone.now()
    steps = [StepRow(off, now - timedelta(seconds=off.longest_s)) for off in shedding.steps_off(processes)]
    return Retreat(steps, len(processes))


def _redis_now() -> float:
    """Return Unix time in seconds by Redis's clock, which stamps the reports."""
    seconds, microseconds = redis_clients.sync_client().time()
    return seconds + microseconds / 1e6


def _direction(name: types.Direction, rows: list[EngineRow]) -> Direction:
    configured = _configured(name)
    place = {engine: index for index, engine in enumerate(configured)}
    ordered = sorted(rows, key=lambda r: (place.get(r.report.engine, 99), r.report.host, r.report.pid))
    of_pools = sorted({row.report.engine for row in rows if "@" in row.report.engine})
    states = breaker.states([(name, engine) for engine in (*configured, *of_pools)])
    return Direction(str(NAMES[name]), ordered, [BreakerRow(state) for state in states])


def _configured(direction: types.Direction) -> list[str]:
    """The engines of a direction in the order they are tried."""
    config = EngineConfig.from_settings(settings.VOICE)
    return list(recognition_names(config) if direction == "recognition" else config.tts_engines)


def _voices_in_use() -> list[Any]:
    """Return how many texts each voice has spoken; no text, because it may belong to another organisation."""
    ready = Speech.objects.filter(status=Speech.Status.READY)
    rows = ready.values("language", "engine", "engine_voice", "is_last_resort").annotate(texts=Count("pk"))
    return list(rows.order_by("-is_last_resort", "language", "engine_voice"))


def _or_none(read: Callable) -> object:
    try:
        return read()
    except redis.RedisError:
        return None


def _reset(request: HttpRequest, breaker_name: str) -> None:
    """Let an engine be called again now, and report it to the user."""
    name, _colon, engine = breaker_name.partition(":")
    direction = cast(types.Direction, name)
    if direction not in NAMES or engine not in _configured(direction):
        messages.error(request, gettext("There is no such engine any more."))
        return
    try:
        Breaker(direction, engine).reset()
    except redis.RedisError:
        messages.error(request, gettext("Redis cannot be reached. Nothing was changed."))
        return
    messages.success(request, gettext("%s is called again from now on.") % engine)


def engines_page(request: HttpRequest) -> HttpResponse:
    """Show whether engines work; superusers see the whole installation. The project decides who may look.

    POST with `reset` ("synthesis:piper") ends the pause of an engine that kept failing, for superusers.
    """
    is_operator = request.user.is_superuser
    if request.method == "POST":
        if not is_operator:
            raise PermissionDenied
        _reset(request, request.POST.get("reset", ""))
        return redirect(request.path)
    context = {
        **admin.site.each_context(request),
        "title": _("Speech engines"),
        "is_operator": is_operator,
        "directions": _or_none(directions),
        **(_of_installation() if is_operator else {}),
    }
    return TemplateResponse(request, "admin/voice/engines.html", context)


def _of_installation() -> dict[str, Any]:
    """Return what concerns all organisations together."""
    return {
        "retreat": _or_none(retreat_now),
        "queues": _or_none(queue_rows),
        "cached": _or_none(cache.statistics),
        "cache_limit_mb": settings.SPEECH_CACHE_MB,
        "voices": _voices_in_use(),
        "failed_speech": Speech.objects.filter(status=Speech.Status.FAILED).count(),
        "waiting_transcripts": prometheus.transcripts_waiting(),
        "waiting_recordings": prometheus.recordings_waiting(),
        "failed_transcripts": Transcript.objects.filter(status=Transcript.Status.FAILED).count(),
    }
