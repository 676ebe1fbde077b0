"""Facts of integrity, noted as they happen. Their times are the server's."""

from collections.abc import Mapping
from datetime import datetime
from typing import Final
from uuid import UUID

from interviews.actions.answers import MAX_TYPED_CHARACTERS
from interviews.actions.errors import BadValue
from interviews.models import Observation
from voice.infra import sql

KEPT: Final = 100
"""Of each kind and interview: a page that reconnects for ever fills no table."""
KEPT_OF: Final[Mapping[str, int]] = {Observation.Kind.SECOND_SCREEN: 1}
"""Of these kinds: a screen that is there stays there."""

_NOTE = """
INSERT INTO interviews_observation (session_id, kind, happened_at)
SELECT id, %s, %s FROM interviews_session WHERE id = %s
AND (SELECT count(*) FROM interviews_observation WHERE session_id = %s AND kind = %s) < %s
"""

# The answer is the one that the candidate is at. Not noted: what happens before the first question or after
# the last one, in an interview that does not want it, and of a candidate who was ever given an accommodation.
_NOTE_OF_PAGE = """
INSERT INTO interviews_observation (session_id, kind, happened_at, characters, answer_id)
SELECT s.id, %s, %s, %s, (
  SELECT a.id FROM interviews_answer a
  WHERE a.session_id = s.id AND a.kind <> 'practice' AND a.status IN ('asked', 'recording', 'recorded')
  ORDER BY a.position DESC, a.follow_up DESC LIMIT 1
)
FROM interviews_session s
JOIN interviews_invitation i ON i.id = s.invitation_id AND i.accommodation_id IS NULL
JOIN interviews_interviewversion d ON d.id = s.definition_id AND d.has_page_facts
WHERE s.id = %s AND s.status = 'under_way'
AND (SELECT count(*) FROM interviews_observation WHERE session_id = s.id AND kind = %s) < %s
AND NOT (%s = 'left_page' AND EXISTS (
  SELECT FROM interviews_observation WHERE session_id = s.id AND kind = 'left_page' AND ended_at IS NULL
))
"""

_END = """
UPDATE interviews_observation SET ended_at = %s
WHERE session_id = %s AND kind = 'left_page' AND ended_at IS NULL
"""


def note(*, session_id: UUID, kind: Observation.Kind, by: object, now: datetime) -> None:
    """Note that something happened in an interview. Of one that was erased, nothing is noted."""
    sql.change(_NOTE, str(kind), now, session_id, session_id, str(kind), KEPT)


def note_of_page(
    *, session_id: UUID, kind: Observation.Kind, characters: int | None = None, by: object, now: datetime
) -> None:
    """Note what the candidate's page noticed during the questions, if the interview wants that.

    characters: how many were pasted.

    Raises BadValue: so many fit into no answer.
    """
    if characters is not None and not 0 < characters <= MAX_TYPED_CHARACTERS:
        raise BadValue(f"characters: between 1 and {MAX_TYPED_CHARACTERS} are possible, {characters} came.")
    most = KEPT_OF.get(kind, KEPT)
    sql.change(_NOTE_OF_PAGE, str(kind), now, characters, session_id, str(kind), most, str(kind))


def note_return(*, session_id: UUID, by: object, now: datetime) -> None:
    """Note that the page which was left has come back, if it was left."""
    sql.change(_END, now, session_id)
