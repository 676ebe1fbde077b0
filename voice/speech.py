"""Synthesised speech by content: the same text in the same voice is rendered once and then immutable.

Three places, fastest first: Redis (recently played), object storage, and the row that says how it was made.
"""

import contextlib
from datetime import datetime
from typing import cast

import redis
from django.conf import settings
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.db import transaction

from voice import audio, hot_audio, queues, signals, text
from voice.engines.base import Samples
from voice.models import Speech

HOT_TTL_S = 6 * 3600


def request(*, spoken_text: str, language: str, voice: str = "") -> Speech:
    """The row for this text in this voice; when it was never rendered, a job is queued that renders it."""
    spoken_text = text.normalise(spoken_text)
    key = text.speech_key(spoken_text, voice, language)
    row, _ = Speech.objects.get_or_create(
        key=key, defaults={"text": spoken_text, "language": language, "voice": voice}
    )
    if row.status != Speech.Status.READY:
        queue_rendering(key)
    return row


def rendering_job_id(key: str) -> str:
    """The id of the one job that may render this speech."""
    return f"render-{key}"


def queue_rendering(key: str) -> None:
    """Queue the rendering of a requested text."""
    queues.enqueue("tts", "voice.jobs.render_speech", key, job_id=rendering_job_id(key))


def store(
    row: Speech,
    *,
    samples: Samples,
    sample_rate_hz: int,
    engine: str,
    engine_voice: str,
    is_last_resort: bool,
) -> None:
    """Keep rendered audio (float32[n_samples], mono, -1..1) as FLAC and announce it."""
    flac = audio.encode_flac(audio.s16le_from_samples(samples), rate_hz=sample_rate_hz)
    name = f"speech/{row.key}.flac"
    if default_storage.exists(name):
        default_storage.delete(name)  # an earlier try that was cut short
    name = default_storage.save(name, ContentFile(flac))
    is_ours = (
        Speech.objects.filter(pk=row.key)
        .exclude(status=Speech.Status.READY)
        .update(
            status=Speech.Status.READY,
            storage_name=name,
            engine=engine,
            engine_voice=engine_voice,
            is_last_resort=is_last_resort,
            duration_ms=round(1000 * len(samples) / sample_rate_hz),
            last_error="",
        )
    )
    if is_ours:
        _keep_hot(row.key, flac)
        row.refresh_from_db()
        signals.speech_rendered.send(Speech, speech=row)


def url(key: str) -> str:
    """The immutable address of rendered speech."""
    return f"{settings.SPEECH_URL}{key}.flac"


async def read_hot(key: str) -> bytes | None:
    """The FLAC file if it lies in Redis."""
    try:
        return cast(bytes | None, await hot_audio.async_client().get(_hot_key(key)))
    except redis.RedisError:
        return None  # the storage has it too


def read_stored(key: str) -> bytes | None:
    """The FLAC file from object storage, kept in Redis from now on; None if it was never rendered."""
    row = Speech.objects.filter(pk=key, status=Speech.Status.READY).only("storage_name").first()
    if row is None:
        return None
    with default_storage.open(row.storage_name) as file:
        flac = file.read()
    _keep_hot(key, flac)
    return flac


def _keep_hot(key: str, flac: bytes) -> None:
    with contextlib.suppress(redis.RedisError):  # only a cache: the storage has it
        hot_audio.sync_client().set(_hot_key(key), flac, ex=HOT_TTL_S)


def _hot_key(key: str) -> str:
    return f"voice:speech:{key}"


def retry(row: Speech, *, now: datetime) -> None:
    """Let a failed text be rendered again, for example after a voice was installed."""
    with transaction.atomic():
        Speech.objects.filter(pk=row.key).exclude(status=Speech.Status.READY).update(
            status=Speech.Status.WAITING, attempts=0, retry_at=now
        )
        queue_rendering(row.key)
