"""Everything that candidates gave, as one ZIP for themselves: it is made while it is sent.

What people judged about them is not in it: neither scores nor decisions, notes and reviewers' corrections.
"""

import dataclasses
import json
from collections.abc import Iterator
from datetime import datetime
from typing import Any, Final

from django.template.loader import render_to_string
from django.utils import timezone, translation
from zipstream import ZipStream

from interviews.exports import downloads, schema
from interviews.models import Invitation, Session
from interviews.queries import holdings, links, records, retention
from interviews.queries.records import Record, RecordingRow
from interviews.texts.accommodations import sentences
from interviews.tokens import UnreadableToken
from voice.encryption import files
from voice.errors import VoiceError
from voice.models import Recording

MAX_RECORDINGS: Final = 500
"""More than any interview has questions, with all attempts."""


def stream(invitation: Invitation, *, now: datetime) -> Iterator[bytes]:
    """Return the pieces of the ZIP: `answers.html` to read, `data.json` for programs, and the recordings."""
    attempts = Session.objects.of_candidate(invitation.pk)
    found = [_own(records.of(pk)) for pk in attempts.order_by("consented_at").values_list("pk", flat=True)]
    rows = records.recordings(attempts, at_most=MAX_RECORDINGS)
    stored = {_name(row, found): row for row in rows if row.status == Recording.Status.STORED}
    # While the pieces are made, the language of the request has ended.
    return _pieces(stored, _readable(invitation, found, rows), _data(invitation, found, now))


def _own(record: Record) -> Record:
    """Return it without what reviewers corrected: that is part of judging."""
    answers = [
        dataclasses.replace(each, layers=[layer for layer in each.layers if layer.is_by_candidate])
        for each in record.answers
    ]
    return dataclasses.replace(record, answers=answers)


def _name(row: RecordingRow, found: list[Record]) -> str:
    attempt = next(n for n, record in enumerate(found, start=1) if record.session.pk == row.session_id)
    folder = "recordings" if len(found) == 1 else f"recordings-{attempt}"
    return f"{folder}/{row.numbered('02')}.flac"


def _pieces(stored: dict[str, RecordingRow], readable: str, data: str) -> Iterator[bytes]:
    archive = ZipStream()
    archive.add(readable.encode(), "answers.html")
    archive.add(data.encode(), "data.json")
    yield from archive.all_files()
    for name, row in stored.items():
        try:
            content = files.pieces(row.storage_name, downloads.BLOCK_BYTES, key_id=row.data_key)
        except (FileNotFoundError, VoiceError):  # erased after the rows were read, or unreadable
            continue
        archive.add(content, name)
        yield from archive.all_files()
    yield from archive.finalize()


def _readable(invitation: Invitation, found: list[Record], rows: list[RecordingRow]) -> str:
    files = {(row.session_id, row.position, row.follow_up): _name(row, found) for row in rows}
    context = {
        **links.look(invitation),
        "holdings": holdings.of(invitation),
        "erased_on": retention.erased_on(invitation),
        "attempts": [
            [(each, files.get((record.session.pk, *_number(each)))) for each in record.answers]
            for record in found
        ],
        "consent_text": found[-1].session.consent_text if found else "",
    }
    with translation.override(links.page_language(invitation)):
        return render_to_string("interviews/privacy/readable.html", context)


def _number(record: Any) -> tuple[int, int]:
    return record.answer.position, record.answer.follow_up


def _data(invitation: Invitation, found: list[Record], now: datetime) -> str:
    arranged = invitation.accommodations.order_by("given_at")
    mails = invitation.messages.order_by("created_at").values("kind", "status", "created_at", "sent_at")
    content = {
        "exported_at": timezone.localtime(now),
        "candidate": {"name": invitation.candidate_name, "email": invitation.candidate_email},
        "external_id": invitation.external_id,
        "metadata": invitation.metadata,
        "invited_at": timezone.localtime(invitation.created_at),
        "accommodations": [_accommodation(each) for each in arranged],
        "e-mails": list(mails),
        "interviews": [schema.described(each, now=now).model_dump(mode="json") for each in found],
    }
    return json.dumps(content, ensure_ascii=False, indent=1, default=str)


def _accommodation(given: Any) -> dict[str, Any]:
    try:
        reason = given.reason
    except UnreadableToken:
        reason = None  # its key is missing in TOKEN_KEYS
    return {"given_at": given.given_at, "what": [str(each) for each in sentences(given)], "reason": reason}
