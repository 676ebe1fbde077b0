"""Voices cloned from a recording of a person who agreed to it.

    voice = register(owner=caller.owner, voice_id="anna", reference_audio=wav, has_consent=True)
    as_voice(voice, language="de").id                 # the id to pass to an engine

A voice belongs to one owner; other callers cannot find, play or replace it. Registering a name again replaces
its voice. Recording and embedding are in object storage under the id of the row and are deleted with it.
"""

import hashlib
import re
import uuid
from collections.abc import Sequence

import numpy as np
from django.conf import settings
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.db import IntegrityError, transaction

from voice.audio import decoding, encoding, pcm
from voice.engines.registry import CLONING
from voice.errors import AudioRejected, EngineUnavailable, RequestRefused
from voice.infra import object_storage
from voice.models import ClonedVoice, PendingErasure
from voice.queues import erasing
from voice.text.languages import primary_language
from voice.types import Samples, Voice

SHORTEST_S, LONGEST_S = 3.0, 60.0
"""The engine listens to the first 10 s; less than 3 are too few to tell a voice by."""
LONGEST_CPU_S = 10.0
"""To decode a recording, which a web process does: a minute of sound takes less than a second."""
QUIETEST_RMS = 0.003
"""-50 dBFS: room noise without speech."""

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}")


def register(*, owner: str, voice_id: str, reference_audio: bytes, has_consent: bool) -> ClonedVoice:
    """Store a reference recording under the name `voice_id`.

    reference_audio: an audio file of 3 to 60 s in which one person speaks.
    has_consent: that person has agreed.

    Raises:
        RequestRefused: no consent (code `consent_missing`), no usable name or no usable recording.
        EngineUnavailable: this installation does not clone voices.
    """
    if has_consent is not True:
        raise RequestRefused(
            "has_consent", "send true once the speaker has agreed to be imitated.", code="consent_missing"
        )
    if not isinstance(voice_id, str) or not _NAME.fullmatch(voice_id):
        raise RequestRefused("voice_id", "send 1 to 64 letters, digits, hyphens and underscores.")
    _check_engine()
    samples = _decoded(reference_audio)
    return _kept(owner, voice_id, samples)


def voices_of(owner: str) -> tuple[ClonedVoice, ...]:
    """Return the owner's voices by name; none if `owner` is empty."""
    if not owner:
        return ()
    return tuple(ClonedVoice.objects.filter(owner=owner).order_by("name"))


def find(owner: str, voice_id: str) -> ClonedVoice | None:
    """Return the owner's voice of that name, or with that id after "#" ("chatterbox:de#<id>").

    None if `owner` is empty: unknown callers must not find each other's voices.
    """
    if not owner:
        return None
    mine = ClonedVoice.objects.filter(owner=owner)
    engine_voice, _, key = voice_id.partition("#")
    if key and engine_voice.partition(":")[0] == CLONING.engine:
        return mine.filter(pk=row_id).first() if (row_id := _row_id(key)) else None
    return mine.filter(name=voice_id).first() if _NAME.fullmatch(voice_id) else None


def remove(owner: str, voice_id: str) -> bool:
    """Erase a voice with its recording; return whether there was one."""
    row = find(owner, voice_id)
    if row is None:
        return False
    with transaction.atomic():
        _delete([row])
    return True


def exists(voice_id: str) -> bool:
    """Return False for the id of a cloned voice ("chatterbox:de#<id>") that was erased, else True."""
    engine_voice, _, key = voice_id.partition("#")
    is_cloned = bool(key) and engine_voice.partition(":")[0] == CLONING.engine
    return not is_cloned or StoredReferences().sha256(key) is not None


def as_voice(row: ClonedVoice, *, language: str) -> Voice:
    """Return the voice as engines know it, for `language`, or for English if it cannot speak that."""
    code = primary_language(language)
    spoken = code if code in CLONING.languages else "en"
    return Voice(
        f"{CLONING.engine}:{spoken}#{row.pk}",
        spoken,
        row.name,
        CLONING.engine,
        "cloned",
        CLONING.sample_rate_hz,
    )


class StoredReferences:
    """The source from which the engine reads recordings: rows and object storage."""

    def sha256(self, key: str) -> str | None:
        """Return the recording's SHA-256; None when the voice is gone."""
        row_id = _row_id(key)
        return (
            ClonedVoice.objects.filter(pk=row_id).values_list("sha256", flat=True).first() if row_id else None
        )

    def recording(self, key: str) -> bytes:
        """Return the FLAC file."""
        with default_storage.open(_reference_name(key)) as file:
            return file.read()

    def embedding(self, key: str) -> bytes | None:
        """Return the embedding that a process derived from the recording."""
        name = _embedding_name(key)
        if not default_storage.exists(name):
            return None
        with default_storage.open(name) as file:
            return file.read()

    def keep_embedding(self, key: str, embedding: bytes) -> None:
        """Store the embedding beside the recording, unless the voice was erased meanwhile."""
        name = _embedding_name(key)
        if not default_storage.exists(name):
            default_storage.save(name, ContentFile(embedding))
        if self.sha256(key) is None:
            default_storage.delete(name)


def _check_engine() -> None:
    if CLONING.engine not in settings.VOICE["TTS_ENGINES"]:
        raise EngineUnavailable(
            f"Voices are not cloned here. Install this project with its extra [{CLONING.engine}] and name "
            f"{CLONING.engine} in TTS_ENGINES."
        )


def _decoded(file: bytes) -> Samples:
    """Return float32[n_samples] at 24 000 Hz."""
    try:
        samples = decoding.decode(
            file, rate_hz=CLONING.sample_rate_hz, limit_s=LONGEST_S + 1, limit_cpu_s=LONGEST_CPU_S
        )
    except AudioRejected as error:
        raise RequestRefused("reference_audio", str(error), code=error.code) from error
    duration_s = len(samples) / CLONING.sample_rate_hz
    if not SHORTEST_S <= duration_s <= LONGEST_S:
        detail = (
            f"{duration_s:.1f} s are no use; send {SHORTEST_S:g} to {LONGEST_S:g} s of one person speaking."
        )
        raise RequestRefused("reference_audio", detail, code=AudioRejected.code)
    if float(np.sqrt(np.mean(samples**2))) < QUIETEST_RMS:
        raise RequestRefused(
            "reference_audio", "nobody is to be heard; send speech.", code=AudioRejected.code
        )
    return samples


def _kept(owner: str, name: str, samples: Samples) -> ClonedVoice:
    file = encoding.encode_flac(pcm.s16le_from_samples(samples), rate_hz=CLONING.sample_rate_hz)
    row = ClonedVoice(
        owner=owner,
        name=name,
        sha256=hashlib.sha256(file).hexdigest(),
        duration_ms=round(1000 * len(samples) / CLONING.sample_rate_hz),
        has_consent=True,
    )
    row.storage_name = default_storage.save(_reference_name(row.pk), ContentFile(file))
    try:
        _put_in_place(row)
    except BaseException:
        object_storage.delete(directory(row.pk))
        raise
    return row


def _put_in_place(row: ClonedVoice) -> None:
    """Save a new row under its name, and erase the voice that had it.

    The row gets a new id, so that audio or embeddings of the old id are never used for the new voice.
    """
    try:
        _replace(row)
    except IntegrityError:  # another request has just registered the name for the first time
        _replace(row)


def _replace(row: ClonedVoice) -> None:
    with transaction.atomic():
        _delete(list(ClonedVoice.objects.select_for_update().filter(owner=row.owner, name=row.name)))
        row.save(force_insert=True)


def _delete(rows: Sequence[ClonedVoice]) -> None:
    """Erase voices: the rows now, everything else by jobs that go on until it is gone."""
    keys = [row.pk for row in rows]
    ClonedVoice.objects.filter(pk__in=keys).delete()
    erasing.request(PendingErasure.Store.CLONED_VOICE, keys)


def directory(key: object) -> str:
    """Return what the names of all files of a cloned voice begin with."""
    return f"voices/{key}/"


def _reference_name(key: object) -> str:
    return f"{directory(key)}reference.flac"


def _embedding_name(key: object) -> str:
    return f"{directory(key)}{CLONING.engine}.pt"


def _row_id(key: str) -> uuid.UUID | None:
    try:
        return uuid.UUID(key)
    except ValueError:
        return None
