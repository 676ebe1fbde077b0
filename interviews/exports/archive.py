"""Recordings as a ZIP that is made while it is sent: it is nowhere as a whole, a block of it in memory."""

import hashlib
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from typing import Final, NamedTuple

from django.utils import timezone
from django.utils.translation import gettext as _
from zipstream import ZipStream

from interviews.exports import downloads, names, tables
from interviews.exports.tables import Cell
from interviews.queries.records import RecordingRow
from voice.encryption import files
from voice.errors import VoiceError
from voice.models import Recording
from voice.types import BYTES_A_SECOND

CONTENTS: Final = "contents.csv"
MAX_RECORDINGS: Final = 5_000
"""Their names are in memory while they are sent."""


def stream(
    rows: Sequence[RecordingRow], *, now: datetime, on_row: Callable[[int], object] = lambda number: None
) -> Iterator[bytes]:
    """Return the pieces of a ZIP: recordings, and `CONTENTS`: what is in it, what is not, and why.

    FLAC is compressed already, so it is stored as it is. on_row: called with 1, 2, 3 … after each row.
    """
    # While the pieces are made, the language and the time zone of the request have ended.
    words = _Words(
        _header(), [_reason(row) for row in rows], _("not there any more"), _("cannot be decrypted")
    )
    return _pieces(rows, words, on_row, comment=f"{timezone.localtime(now):%Y-%m-%d %H:%M %Z}")


class _Words(NamedTuple):
    """What stands in `CONTENTS`. reasons: of each row, why there is no file; "" if there is one."""

    header: list[str]
    reasons: list[str]
    gone: str
    unreadable: str


def _pieces(
    rows: Sequence[RecordingRow], words: _Words, on_row: Callable[[int], object], *, comment: str
) -> Iterator[bytes]:
    archive, listed = ZipStream(), []
    for number, (row, known_reason) in enumerate(zip(rows, words.reasons, strict=True), start=1):
        digest = hashlib.sha256()
        name, reason = _name(row), known_reason
        if not reason:
            try:
                content = files.pieces(row.storage_name, downloads.BLOCK_BYTES, key_id=row.data_key)
            except FileNotFoundError:  # erased after the rows were read
                reason = words.gone
            except VoiceError:
                reason = words.unreadable
            else:
                archive.add(_hashed(content, digest), name)
                yield from archive.all_files()
        listed.append(_line(row, name, reason, digest.hexdigest()))
        on_row(number)
    contents = tables.write_csv(words.header, listed)
    archive.comment = comment.encode()
    archive.add(downloads.Blocks(contents), CONTENTS)
    yield from archive.finalize()


def _name(row: RecordingRow) -> str:
    return f"{names.of_candidate(row.candidate_name, row.session_id)}/{row.numbered('02')}.flac"


def _reason(row: RecordingRow) -> str:
    """Why there is no file; "" if there is one."""
    if row.status == Recording.Status.STORED:
        return ""
    if row.status in (Recording.Status.OPEN, Recording.Status.SEALED):
        return _("not stored yet")
    return _("answered in writing") if row.typed_text else _("nothing was recorded")


def _hashed(content: Iterator[bytes], digest: "hashlib._Hash") -> Iterator[bytes]:
    for block in content:
        digest.update(block)
        yield block


def _header() -> list[str]:
    return [
        *(_("file"), _("missing because"), _("candidate"), _("number"), _("question"), _("seconds")),
        *(_("SHA-256 of the file"), _("SHA-256 of the samples (16 bits, 16 000 Hz, mono)")),
    ]


def _line(row: RecordingRow, name: str, reason: str, digest: str) -> list[Cell]:
    seconds = None if row.byte_count is None else round(row.byte_count / BYTES_A_SECOND, 3)
    of_file: list[Cell] = [None, None, None] if reason else [seconds, digest, row.sha256]
    return ["" if reason else name, reason, row.candidate_name, row.numbered(), row.question, *of_file]
