"""Versions of a transcript: a stored recording is transcribed again, with an engine and a model of choice.

    versions.request(recording_ids=[...], model=EngineModel("faster_whisper", "large-v3"), by=user, now=now)
    versions.use(version)

The transcript is a copy of the version that is current, so whoever reads it need not know of versions
(docs/adr/0044-versions-of-a-transcript.md).
"""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final
from uuid import UUID

from django.db import transaction

from voice.models import Recording, Transcript, TranscriptVersion
from voice.models.encrypted import encrypted
from voice.recordings import queueing
from voice.types import EngineModel

MOST_VERSIONS: Final = 10
"""Of a recording: more are no help to those who compare them."""
NOT_SWEPT: Final = timedelta(seconds=5)
"""The job is queued after the commit; a sweep in between would queue it twice."""
_RECOGNISED: Final = (
    *("status", "text", "language", "language_probability", "confidence", "segments"),
    *("engine", "model", "version", "last_error"),
)
"""What changes where another version is used. Not when it was made: figures tell how long the first took."""
_MADE: Final = ("attempts", "engine_ms", "finished_at")
_ENDED: Final = (Transcript.Status.DONE, Transcript.Status.FAILED)


class Obstacle(StrEnum):
    """Why a recording cannot be transcribed again by a model now."""

    NOT_STORED = "not_stored"
    NOT_TRANSCRIBED = "not_transcribed"  # for the first time
    WAITING = "waiting"  # another version is being made
    KEPT = "kept"  # there is a version by this model
    TOO_MANY = "too_many"


def obstacle(recording: Recording, made: Iterable[TranscriptVersion], model: EngineModel) -> Obstacle | None:
    """Return what is in the way. made: all versions of the recording. Pure."""
    transcript: Transcript | None = getattr(recording, "transcript", None)
    versions = list(made)
    done = [row for row in (*versions, transcript) if row and row.status == row.Status.DONE]
    if recording.status != Recording.Status.STORED:
        return Obstacle.NOT_STORED
    if transcript is None or transcript.status not in _ENDED:
        return Obstacle.NOT_TRANSCRIBED
    if any(version.status == version.Status.WAITING for version in versions):
        return Obstacle.WAITING
    if any((row.engine, row.model) == model for row in done):
        return Obstacle.KEPT
    return Obstacle.TOO_MANY if len(versions) >= MOST_VERSIONS else None


@transaction.atomic
def request(
    *, recording_ids: Sequence[UUID], model: EngineModel, is_to_be_current: bool, by: str, now: datetime
) -> list[Obstacle]:
    """Let these recordings be transcribed again; return what was in the way of those that are not.

    by: who asks, as the product names people.
    """
    rows = Recording.objects.select_for_update(of=("self",)).filter(pk__in=recording_ids).order_by("pk")
    found = []
    for recording in rows.select_related("transcript").prefetch_related("versions"):
        made = list(recording.versions.all())
        if hindered := obstacle(recording, made, model):
            found.append(hindered)
            continue
        if not made:
            made = [_first(recording)]
        TranscriptVersion.objects.create(
            recording=recording,
            version=made[-1].version + 1,
            wanted_engine=model.engine,
            wanted_model=model.model,
            is_to_be_current=is_to_be_current,
            asked_by=by,
            asked_at=now,
            retry_at=now + NOT_SWEPT,
        )
        queueing.queue_version(recording.pk, tenant=recording.owner, language=recording.language)
    return found


def _first(recording: Recording) -> TranscriptVersion:
    """Keep what was recognised first."""
    kept = {name: getattr(recording.transcript, name) for name in (*_RECOGNISED, *_MADE)}
    asked_at = recording.sealed_at or recording.created_at
    return TranscriptVersion.objects.create(recording=recording, asked_at=asked_at, **kept)


def use(version: TranscriptVersion) -> bool:
    """Make the transcript a copy of this version; return False if it is not done, or there is none."""
    if version.status != version.Status.DONE:
        return False
    rows = Transcript.objects.filter(recording_id=version.recording_id, status__in=_ENDED)
    fields = {name: getattr(version, name) for name in _RECOGNISED}
    return bool(rows.update(**encrypted(Transcript, fields, key_id=version.data_key)))
