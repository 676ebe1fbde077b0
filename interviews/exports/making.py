"""The job that makes a file about many candidates, which a program asked for.

It is written to a temporary file first, so that object storage never has half of one.
"""

import hashlib
import logging
import shutil
import tempfile
from collections.abc import Callable, Iterator
from datetime import datetime
from io import BufferedReader
from typing import IO, Any, Final, cast
from uuid import UUID

from django.core.files import File
from django.core.files.storage import default_storage
from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from interviews.actions import exports
from interviews.actions.exports import Made
from interviews.exports import archive, candidates, downloads, tables
from interviews.models import Export, Invitation, Session
from interviews.queries import blindness, records, results, scores
from voice.infra import object_storage
from voice.workers import slot

logger = logging.getLogger(__name__)

LONGEST_S: Final = 3600.0
NOTED_EACH: Final = 25
"""Recordings, between two notes of how far it is."""
ENDINGS: Final = {Export.Kind.CSV: "csv", Export.Kind.XLSX: "xlsx", Export.Kind.ZIP: "zip"}
Progress = Callable[[int], None]
"""Is told how many candidates, or recordings, are in the file already."""


def make(export_id: UUID) -> None:
    """Make the file, unless it is there or not wanted any more. It may be called again after half of it."""
    export = Export.objects.filter(pk=export_id, status=Export.Status.WAITING).first()
    if export is None:
        return
    slot.allow(LONGEST_S)
    try:
        _make(export)
    except Exception:
        exports.fail(export=export, now=timezone.now())
        raise


def _make(export: Export) -> None:
    sessions = _begun(export)
    if sessions is None:
        return
    export.attempts += 1

    def note(done_count: int) -> None:
        exports.note_progress(export=export, done_count=done_count, now=timezone.now())

    with tempfile.TemporaryFile() as file:
        _write(export, sessions, file, note)
        made = _stored(export, file)
    if not exports.complete(export=export, made=made, now=timezone.now()):
        object_storage.delete(export.directory)
    logger.info("export %s is made: %s, %d bytes", export.pk, export.kind, made.byte_count)


@transaction.atomic
def _begun(export: Export) -> QuerySet[Session] | None:
    """Write down who will be in the file, and return their interviews; None if it is not wanted any more.

    The invitations are locked meanwhile. An erasure that is under way is waited for: its candidate is not in
    the file. One that begins later ends the export.
    """
    sessions = chosen(export)
    invitations = Invitation.objects.filter(pk__in=sessions.order_by().values("invitation"))
    locked = invitations.select_for_update(no_key=True).order_by("pk")
    ids = list(locked.values_list("pk", flat=True))
    sessions = sessions.filter(invitation__in=ids)
    export.total = len(ids)
    if _is_archive(export):
        export.total = len(records.recordings(sessions, at_most=archive.MAX_RECORDINGS))
    is_begun = exports.begin(export=export, candidates=ids, total=export.total, now=timezone.now())
    return sessions if is_begun else None


def chosen(export: Export) -> QuerySet[Session]:
    """Return the interviews that were asked for."""
    return results.counted(export.organisation_id, **export.wanted)


def _is_archive(export: Export) -> bool:
    return export.kind == Export.Kind.ZIP


def _write(export: Export, sessions: QuerySet[Session], file: IO[bytes], note: Progress) -> None:
    if _is_archive(export):
        rows = records.recordings(sessions, at_most=archive.MAX_RECORDINGS)
        for piece in archive.stream(rows, now=timezone.now(), on_row=_now_and_then(note)):
            file.write(piece)
    else:
        with _table(export, sessions, note) as table:
            table.seek(0)
            shutil.copyfileobj(table, file)


def _table(export: Export, sessions: QuerySet[Session], note: Progress) -> IO[bytes]:
    viewer = blindness.PROGRAM if export.is_judged else None
    asked = scores.criteria_of(sessions) if viewer else []
    written = 0

    def count(chunk: list[Any]) -> None:
        nonlocal written
        note(written)
        written += len(chunk)

    rows = candidates.rows(sessions, asked, viewer=viewer, on_chunk=count)
    return tables.KINDS[ending(export)].write(candidates.header(asked, viewer=viewer), rows)


def _now_and_then(note: Progress) -> Progress:
    return lambda number: note(number) if number % NOTED_EACH == 0 else None


def _stored(export: Export, file: IO[bytes]) -> Made:
    file.seek(0)
    digest = hashlib.file_digest(cast("BufferedReader", file), "sha256").hexdigest()
    byte_count = file.seek(0, 2)
    file.seek(0)
    name = default_storage.save(f"{export.directory}{file_name(export)}", File(file))
    return Made(name, byte_count, digest)


def ending(export: Export) -> str:
    """Return csv, xlsx or zip."""
    return ENDINGS[Export.Kind(export.kind)]


def file_name(export: Export) -> str:
    """Return the name under which the file is saved."""
    return f"{export.kind.partition('_')[0]}-{_day(export.created_at)}.{ending(export)}"


def _day(time: datetime) -> str:
    return f"{time:%Y-%m-%d}"


def content_type(export: Export) -> str:
    """Return the media type of the file."""
    return "application/zip" if _is_archive(export) else tables.KINDS[ending(export)].content_type


def pieces(export: Export) -> Iterator[bytes]:
    """Return the file in blocks. Raises FileNotFoundError where it was deleted meanwhile."""
    return object_storage.blocks(export.storage_name, downloads.BLOCK_BYTES)
