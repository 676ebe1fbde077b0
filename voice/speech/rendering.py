"""Synthesised speech by content: a text in a voice is rendered once and then immutable.

It is in three places, fastest first: Redis (recently played), object storage, and the row that says how it
was made.
"""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime

from django.conf import settings
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.db import transaction
from django.urls import reverse

from voice import signals
from voice.audio import encoding, pcm
from voice.infra import sql, tracing
from voice.models import PendingErasure, Speech
from voice.queues import erasing, jobs, pools
from voice.speech import cache, voices
from voice.speech.cache import CachedSpeech
from voice.speech.names import text_name
from voice.text import normalisation
from voice.text.pronunciation import pronounced
from voice.text.reading import readable
from voice.types import Samples


def request(
    *,
    texts: Sequence[str],
    language: str,
    tenant: str,
    voice: str = "",
    pronunciations: Mapping[str, str] | None = None,
) -> list[Speech]:
    """Return the rows for these texts in this voice, in order; queue jobs for texts not rendered yet.

    tenant: whose texts they are; nobody else shares their speech (`voice.speech.names`), and tenants take
    turns.
    pronunciations: words by how they are written, and how they are spoken. Speech is named by what is spoken.
    """
    said = [pronounced(text, pronunciations or {}) for text in texts]
    keys = [text_name(text, voice=voice, language=language, tenant=tenant) for text in said]
    rows = _of_keys(keys)
    if missing := {key: pair for key, *pair in zip(keys, said, texts, strict=True) if key not in rows}:
        read = {key: [_as_read(text, language) for text in pair] for key, pair in missing.items()}
        rows |= _make(read, language=language, voice=voice)
    for row in rows.values():
        if row.status != Speech.Status.READY:
            queue_rendering(row.key, voice=row.voice, language=row.language, tenant=tenant)
    return [rows[key] for key in keys]


def _as_read(text: str, language: str) -> str:
    return normalisation.normalise(readable(text, language))


def _make(texts: dict[str, list[str]], *, language: str, voice: str) -> dict[str, Speech]:
    """Create rows for texts without one; another process may have created, even rendered, some meanwhile.

    texts: of each key, as it is spoken and as it is written.
    """
    in_one_order = sorted(texts.items())  # two processes that create the same rows would otherwise deadlock
    made = [
        Speech(key=key, text=said, written="" if written == said else written, language=language, voice=voice)
        for key, (said, written) in in_one_order
    ]
    Speech.objects.bulk_create(made, ignore_conflicts=True)
    return _of_keys(list(texts))


_SPEECH = sql.Part(Speech, "p")
_READ = f"SELECT {_SPEECH.names} FROM voice_speech p WHERE p.key = ANY(%s)"  # noqa: S608  names of columns


def _of_keys(keys: list[str]) -> dict[str, Speech]:
    return {row.key: row for row in (_SPEECH.of(values) for values in sql.fetch(_READ, keys))}


def rendering_job_id(key: str) -> str:
    """Return the id of the one job that may render this speech."""
    return f"render-{key}"


def queue_rendering(key: str, *, voice: str, language: str, tenant: str = "") -> None:
    """Queue the rendering of a requested text."""
    jobs.enqueue(
        "tts",
        "voice.workers.rendering.render_speech",
        key,
        job_id=rendering_job_id(key),
        tenant=tenant,
        needs=pools.engine(voices.engine_of(voice, language)),
    )


def listening_job_id(key: str) -> str:
    """Return the id of the one job that may listen to this speech."""
    return f"listen-{key}"


def queue_listening(key: str, *, tenant: str = "") -> None:
    """Queue the check by recognition whether rendered speech is understood, behind all other recognition."""
    job_id = listening_job_id(key)
    jobs.enqueue("stt-batch", "voice.workers.listening.listen_back", key, job_id=job_id, tenant=tenant)


def note_misheard(row: Speech, words: Sequence[str]) -> None:
    """Note which words of rendered speech a recogniser heard otherwise; none if it was understood."""
    Speech.objects.filter(pk=row.key).update(misheard=" ".join(words))


def store(
    row: Speech,
    *,
    samples: Samples,
    sample_rate_hz: int,
    engine: str,
    engine_voice: str,
    is_last_resort: bool,
) -> None:
    """Store rendered audio (float32[n_samples], mono, -1..1) as FLAC and announce it."""
    flac = encoding.encode_flac(pcm.s16le_from_samples(samples), rate_hz=sample_rate_hz)
    with tracing.span("put speech", "CLIENT", attributes={"file.size": len(flac)}):
        name = default_storage.save(file_name(row.key), ContentFile(flac))
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
        queue_listening(row.key)
        signals.speech_rendered.send(Speech, speech=row)
    elif not Speech.objects.filter(pk=row.key).exists():
        default_storage.delete(name)  # the text was erased meanwhile


def leave_to_stand_in(row: Speech, voice: str) -> bool:
    """Let those who asked for a text ask for all their texts in `voice`, because its own voice cannot speak.

    Returns whether anybody does; then the row fails.
    """
    if not any(is_asked for _, is_asked in signals.voice_failed.send(Speech, speech=row, voice=voice)):
        return False
    error = f"Its voice could not speak, so {voice} speaks for it."
    Speech.objects.filter(pk=row.key, status=Speech.Status.WAITING).update(
        status=Speech.Status.FAILED, last_error=error
    )
    return True


def url(key: str) -> str:
    """The immutable address of rendered speech."""
    if settings.SPEECH_URL:
        return f"{settings.SPEECH_URL}{key}.flac"
    return reverse("voice:speech", args=[key])


async def read_hot(key: str) -> bytes | None:
    """Return the FLAC file if it is in Redis; object storage has it too."""
    cached = await cache.get(hot_key(key))
    return cached.body if cached else None


def read_stored(key: str) -> bytes | None:
    """Return the FLAC file from object storage and cache it in Redis; None if it was never rendered."""
    row = Speech.objects.filter(pk=key, status=Speech.Status.READY).only("storage_name").first()
    if row is None:
        return None
    with default_storage.open(row.storage_name) as file:
        flac = file.read()
    _keep_hot(key, flac)
    return flac


def _keep_hot(key: str, flac: bytes) -> None:
    cache.put(hot_key(key), CachedSpeech(flac))


def file_name(key: str) -> str:
    """Return the name of the audio in object storage."""
    return f"speech/{key}.flac"


def hot_key(key: str) -> str:
    """Return a key apart from those that callers of the speech service use."""
    return f"question-{key}"


def retry(row: Speech, *, now: datetime) -> None:
    """Let a failed text be rendered again, for example after a voice was installed."""
    with transaction.atomic():
        Speech.objects.filter(pk=row.key).exclude(status=Speech.Status.READY).update(
            status=Speech.Status.WAITING, attempts=0, retry_at=now
        )
        queue_rendering(row.key, voice=row.voice, language=row.language)


def erase(keys: Collection[str]) -> None:
    """Erase texts and their audio: the rows now, everything else by the sweeper's jobs, until it is gone."""
    with transaction.atomic():
        Speech.objects.filter(pk__in=keys).delete()
        erasing.note(PendingErasure.Store.SPEECH, keys)
