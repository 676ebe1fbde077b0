"""Work on queues with loaded models."""

import gc
import sys
from collections.abc import Iterable
from contextlib import nullcontext
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from voice.infra import connection_pool, processor, redis_clients
from voice.monitoring.worker_http import Door
from voice.workers import attendant
from voice.workers.registration import served_by_slots
from voice.workers.services import Service
from voice.workers.stop_signals import StopSignals
from voice.workers.worker import VoiceWorker

RECOGNITIONS_A_SLOT = 3
"""Whisper encodes STT_SLOTS windows at a time, and decodes those of more jobs together."""


class Command(BaseCommand):
    """manage.py voiceworker QUEUE [QUEUE ...] [--slots N] [--port N] [--nice N]"""

    # They import every page and its forms, which a worker never shows: 0.3 s and memory.
    requires_system_checks: list[str] = []
    help = "Works on the given queues, in the order of their priority, with models that are loaded once."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("queues", nargs="+", choices=settings.QUEUE_NAMES, metavar="QUEUE")
        parser.add_argument(
            "--slots",
            type=int,
            help="Jobs at a time; with several queues one more slot is kept for the first, and one serves "
            "each of LONG_QUEUES alone. "
            f"Default: STT_SLOTS, where speech is recognised {RECOGNITIONS_A_SLOT} times as many.",
        )

        parser.add_argument(
            "--port",
            type=int,
            default=settings.WORKER_PORT,
            help="Of its own /health, /ready and /metrics, at WORKER_HOST; 0 for none. Default: %(default)s.",
        )

        parser.add_argument(
            "--nice",
            type=int,
            choices=range(20),
            default=0,
            metavar="NICE",
            help="How far this worker stands back for other programs, 0 to 19. Default: %(default)s.",
        )

    def handle(
        self, *args: Any, queues: list[str], slots: int | None, port: int, nice: int, **options: Any
    ) -> None:
        queues = with_calls(queues)
        count = max(1, default_slots(queues) if slots is None else slots)
        if warning := connection_pool.fit(len(served_by_slots(queues, count))):
            self.stderr.write(warning)
        connection = redis_clients.own_client()
        door, signals = _door(port), StopSignals()
        notes = attendant.forked(
            connection,
            deadline_s=settings.JOB_DEADLINE_S,
            grace_s=settings.WORKER_GRACE_S,
            signals=signals,
            door=door,
        )
        if nice:
            processor.stand_back(nice)
        worker = VoiceWorker(
            queues,
            connection=connection,
            slot_count=count,
            services=services_for(queues),
            notes=notes,
            signals=signals,
        )
        with door.serving(worker.checks()) if door else nullcontext():
            status = worker.run(when_ready=_settle)
        sys.exit(status)


def _settle(line: str) -> None:
    """Print that the models are loaded, and exempt all current objects from garbage collection: they stay."""
    gc.collect()
    gc.freeze()
    print(line, flush=True)


def _door(port: int) -> Door | None:
    if not port:
        return None
    try:
        return Door((settings.WORKER_HOST, port))
    except OSError as error:
        place = f"{settings.WORKER_HOST}:{port}"
        raise CommandError(f"{place} cannot be opened ({error.strerror}): choose another --port.") from None


_CALLS = (
    *(("stt-gpu", "stt-call"), ("stt-gpu", "stt-call-partial")),
    *(("stt", "stt-call"), ("stt", "stt-call-partial")),
    ("tts", "tts-call"),
)
"""Queues of interviews, and those of callers that the same workers serve."""


def default_slots(queues: Iterable[str]) -> int:
    """Return how many jobs a worker of these queues runs at a time."""
    is_recognising = any(name.startswith("stt") for name in queues)
    slots: int = settings.VOICE["STT_SLOTS"]
    return slots * RECOGNITIONS_A_SLOT if is_recognising else slots


def with_calls(queues: Iterable[str]) -> list[str]:
    """Return the queues with those of the callers who wait, behind the interviews' and before batches.

    Whoever serves interviews serves callers too, and recognises ahead, so that a new release needs no other
    command.
    """
    served = list(queues)
    answers = [at for at, name in enumerate(served) if name in ("stt-gpu", "stt")]
    if answers and "stt-ahead" not in served:
        served.insert(answers[-1] + 1, "stt-ahead")
    for first, calls in _CALLS:
        if first in served and calls not in served:
            kind = first.partition("-")[0]
            behind = [at for at, name in enumerate(served) if name.startswith(kind) and name != "stt-batch"]
            served.insert(behind[-1] + 1, calls)
    return served


def services_for(queues: Iterable[str]) -> list[Service]:
    """Return the services that the jobs of these queues need; a process imports only engines it uses."""
    services: list[Service] = []
    if any(name.startswith("stt") for name in queues):
        from voice.inference import recognizer

        services.append(recognizer.recognizer())
    if any(name.startswith("tts") for name in queues):
        from voice.inference import synthesizer

        services.append(synthesizer.synthesizer())
    return services
