"""Keeping what search finds true to what candidates said.

    search_index.index(answer_id=answer.pk)     # after its text was made, corrected or taken back

Whatever changes the text of an answer calls `index`. A worker that dies between the text and the call leaves
an answer without its entry: `repair` finds it.
"""

from datetime import UTC, datetime, timedelta
from uuid import UUID

from django.db import transaction

from interviews.models import Correction, SearchEntry
from interviews.queries import corrections
from interviews.texts import searching
from voice.infra import sql
from voice.models import Transcript

RECENT = timedelta(days=2)
"""What was answered in this time is looked through every minute, everything else every ten minutes."""
AT_ONCE = 10_000
"""Entries of one repair: half a minute's work, a quarter of the time after which a job counts as stuck."""

# Locked against a retake in the meantime, which would leave the words of the take before.
_TEXT = """
SELECT w.organisation_id, w.id, a.completed_at, coalesce(nullif(t.language, ''), d.language, w.language),
  coalesce(t.text, ''), a.typed_text
FROM interviews_answer a
JOIN interviews_session s ON s.id = a.session_id
JOIN interviews_invitation i ON i.id = s.invitation_id AND i.tried_id IS NULL AND i.set_aside_of_id IS NULL
JOIN interviews_interview w ON w.id = i.interview_id
LEFT JOIN interviews_interviewversion d ON d.id = s.definition_id
LEFT JOIN voice_recording r ON r.id = a.recording_id
LEFT JOIN voice_transcript t ON t.recording_id = a.recording_id
WHERE a.id = %s AND a.kind <> 'practice' AND a.status IN ('recorded', 'accepted') AND r.data_key IS NULL
  AND (t.status IS NULL OR t.status IN ('done', 'failed') OR a.typed_text <> '')
FOR SHARE OF a
"""

_WRITE = """
INSERT INTO interviews_searchentry (answer_id, organisation_id, interview_id, answered_at, lexemes)
SELECT n.answer_id, n.organisation_id, n.interview_id, n.answered_at, CASE n.configuration
  WHEN '' THEN ''::tsvector
  WHEN 'pairs' THEN array_to_tsvector(n.marks) || n.words::tsvector
  ELSE array_to_tsvector(n.marks) || to_tsvector(n.configuration::regconfig, n.words) END
FROM (SELECT %s::uuid, %s::bigint, %s::uuid, %s::timestamptz, %s::text, %s::text[], %s::text)
  AS n(answer_id, organisation_id, interview_id, answered_at, configuration, marks, words)
ON CONFLICT (answer_id) DO UPDATE SET organisation_id = excluded.organisation_id,
  interview_id = excluded.interview_id, answered_at = excluded.answered_at, lexemes = excluded.lexemes
"""

# An entry of another time is one of a take that was replaced by a process of the release before.
_MISSED = """
SELECT a.id FROM interviews_answer a
JOIN interviews_session s ON s.id = a.session_id
JOIN interviews_invitation i ON i.id = s.invitation_id AND i.tried_id IS NULL AND i.set_aside_of_id IS NULL
LEFT JOIN interviews_searchentry e ON e.answer_id = a.id
LEFT JOIN voice_transcript t ON t.recording_id = a.recording_id AND e.answer_id IS NULL
LEFT JOIN voice_recording r ON r.id = a.recording_id AND e.answer_id IS NULL
WHERE a.kind <> 'practice' AND r.data_key IS NULL AND a.completed_at IS NOT NULL AND a.completed_at >= %s
  AND a.status IN ('recorded', 'accepted') AND e.answered_at IS DISTINCT FROM a.completed_at
  AND (t.status IS NULL OR t.status IN ('done', 'failed') OR a.typed_text <> '')
ORDER BY a.completed_at DESC LIMIT %s
"""


@transaction.atomic(savepoint=False)
def index(*, answer_id: UUID) -> None:
    """Make the entry of an answer say what its text is now; remove it where there is none, or none yet.

    Left out are practice, trials, attempts set aside, an answer that is being recorded or waits for its
    transcript, and one whose text is encrypted: its words would stand in the index.
    """
    found = sql.fetch(_TEXT, answer_id)
    if not found:
        forget(answer_id=answer_id)
        return
    [(organisation_id, interview_id, answered_at, language, said, typed)] = found
    text = "\n".join(filter(None, [_corrected(answer_id, said), typed]))
    configuration = searching.configuration_of(language) if text else ""
    words = searching.vector_of_pairs(text) if configuration == searching.PAIRS else text
    marks = [searching.mark_of_organisation(organisation_id), searching.mark_of(configuration)]
    sql.change(_WRITE, answer_id, organisation_id, interview_id, answered_at, configuration, marks, words)


def _corrected(answer_id: UUID, said: str) -> str:
    """Return what was said, as it was corrected."""
    layers = list(Correction.objects.filter(answer=answer_id))
    if not layers:
        return said
    return corrections.corrected_text(Transcript.objects.get(recording__answer=answer_id), layers)


def forget(*, answer_id: UUID) -> None:
    """Let search know nothing of an answer any more."""
    SearchEntry.objects.filter(pk=answer_id).delete()


def forget_set_aside() -> None:
    """Let search know nothing of attempts that were set aside."""
    SearchEntry.objects.filter(answer__session__invitation__set_aside_of__isnull=False).delete()


def repair(*, since: datetime | None) -> int:
    """Index answers that have been given since then and were missed, the newest first; return how many.

    since: None looks through all answers. So a database of before gets its entries, too, and loses those of
    attempts set aside.
    """
    forget_set_aside()
    missed = sql.fetch(_MISSED, since or datetime.min.replace(tzinfo=UTC), AT_ONCE)
    for (answer_id,) in missed:
        index(answer_id=answer_id)
    return len(missed)


def repair_recent(*, now: datetime) -> int:
    """Index what was missed lately; return how many answers."""
    return repair(since=now - RECENT)
