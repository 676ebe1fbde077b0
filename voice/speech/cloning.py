"""Voices made from a recording of somebody who agreed to it.

    voice = register(owner=caller.owner, voice_id="anna", reference_audio=wav, has_consent=True)
    as_voice(voice, language="de").id                 # what an engine is asked for

A voice belongs to one owner; nobody else can find, hear or replace it.  Registering a name again replaces
what it meant before.  Recording and embedding lie in object storage under the id of the row and go with it.
"""

import hashlib
import re
import uuid
from collections.abc import Iterable

import numpy as np
from django.conf import settings
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.db import IntegrityError, transaction

from voice.audio import decoding, encoding, pcm
from voice.engines.tts.chatterbox import LANGUAGES, SAMPLE_RATE_HZ
from voice.errors import AudioRejected, EngineUnavailable, RequestRefused
from voice.models import ClonedVoice
from voice.text.languages import primary_language
from voice.types import Samples, Voice

ENGINE = "chatterbox"
SHORTEST_S, LONGEST_S = 3.0, 60.0
"""Chatterbox listens to the first 10 s; less than 3 are too few to tell a voice by."""
QUIETEST_RMS = 0.003
"""-50 dBFS: room noise, nobody speaks."""

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}")


def register(*, owner: str, voice_id: str, reference_audio: bytes, has_consent: bool) -> ClonedVoice:
    """Keep a recording to speak with, under the name `voice_id`.

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
    """The owner's voices by name; none where `owner` is empty."""
    if not owner:
        return ()
    return tuple(ClonedVoice.objects.filter(owner=owner).order_by("name"))


def find(owner: str, voice_id: str) -> ClonedVoice | None:
    """The owner's voice of that name, or with that id behind "#" ("chatterbox:de#<id>").

    None where `owner` is empty: of callers who are not known, one may not meet another's voices.
    """
    if not owner:
        return None
    mine = ClonedVoice.objects.filter(owner=owner)
    engine_voice, _, key = voice_id.partition("#")
    if key and engine_voice.partition(":")[0] == ENGINE:
        return mine.filter(pk=row_id).first() if (row_id := _row_id(key)) else None
    return mine.filter(name=voice_id).first() if _NAME.fullmatch(voice_id) else None


def remove(owner: str, voice_id: str) -> bool:
    """Erase a voice with its recording; whether there was one."""
    row = find(owner, voice_id)
    if row is None:
        return False
    ClonedVoice.objects.filter(pk=row.pk).delete()  # row.delete() would forget the id that names the files
    transaction.on_commit(lambda: _erase_files([row]))
    return True


def as_voice(row: ClonedVoice, *, language: str) -> Voice:
    """The voice as engines know it, speaking `language`; English where it cannot."""
    code = primary_language(language)
    spoken = code if code in LANGUAGES else "en"
    return Voice(f"{ENGINE}:{spoken}#{row.pk}", spoken, row.name, ENGINE, "cloned", SAMPLE_RATE_HZ)


class StoredReferences:
    """What `voice.engines.tts.chatterbox` reads recordings from: rows and object storage."""

    def sha256(self, key: str) -> str | None:
        """Of the recording; None when the voice is gone."""
        row_id = _row_id(key)
        return (
            ClonedVoice.objects.filter(pk=row_id).values_list("sha256", flat=True).first() if row_id else None
        )

    def recording(self, key: str) -> bytes:
        """The FLAC file."""
        with default_storage.open(_reference_name(key)) as file:
            return file.read()

    def embedding(self, key: str) -> bytes | None:
        """What was derived from it by some process."""
        name = _embedding_name(key)
        if not default_storage.exists(name):
            return None
        with default_storage.open(name) as file:
            return file.read()

    def keep_embedding(self, key: str, embedding: bytes) -> None:
        """Beside the recording, unless the voice was erased meanwhile."""
        name = _embedding_name(key)
        if not default_storage.exists(name):
            default_storage.save(name, ContentFile(embedding))
        if self.sha256(key) is None:
            default_storage.delete(name)


def _check_engine() -> None:
    if ENGINE not in settings.VOICE["TTS_ENGINES"]:
        raise EngineUnavailable(
            "Voices are not cloned here. Install this project with its extra [chatterbox] and name "
            "chatterbox in TTS_ENGINES."
        )


def _decoded(file: bytes) -> Samples:
    """float32[n_samples] at 24 000 Hz."""
    try:
        samples = decoding.decode(file, rate_hz=SAMPLE_RATE_HZ, limit_s=LONGEST_S + 1)
    except AudioRejected as error:
        raise RequestRefused("reference_audio", str(error), code=error.code) from error
    duration_s = len(samples) / SAMPLE_RATE_HZ
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
    file = encoding.encode_flac(pcm.s16le_from_samples(samples), rate_hz=SAMPLE_RATE_HZ)
    row = ClonedVoice(
        owner=owner,
        name=name,
        sha256=hashlib.sha256(file).hexdigest(),
        duration_ms=round(1000 * len(samples) / SAMPLE_RATE_HZ),
        has_consent=True,
    )
    row.storage_name = default_storage.save(_reference_name(row.pk), ContentFile(file))
    try:
        replaced = _put_in_place(row)
    except BaseException:
        _erase_files([row])
        raise
    transaction.on_commit(lambda: _erase_files(replaced))
    return row


def _put_in_place(row: ClonedVoice) -> list[ClonedVoice]:
    """Save a new row under its name; what it replaced.

    A new id, so that nothing that was spoken or derived under the old one can be taken for the new voice.
    """
    try:
        return _replace(row)
    except IntegrityError:  # somebody else registered the name for the first time just now
        return _replace(row)


def _replace(row: ClonedVoice) -> list[ClonedVoice]:
    with transaction.atomic():
        replaced = list(ClonedVoice.objects.select_for_update().filter(owner=row.owner, name=row.name))
        ClonedVoice.objects.filter(pk__in=[old.pk for old in replaced]).delete()
        row.save(force_insert=True)
    return replaced


def _erase_files(rows: Iterable[ClonedVoice]) -> None:
    for row in rows:
        default_storage.delete(row.storage_name)
        default_storage.delete(_embedding_name(row.pk))


def _reference_name(key: object) -> str:
    return f"voices/{key}/reference.flac"


def _embedding_name(key: object) -> str:
    return f"voices/{key}/{ENGINE}.pt"


def _row_id(key: str) -> uuid.UUID | None:
    try:
        return uuid.UUID(key)
    except ValueError:
        return None
