"""Facts of integrity, noted as they happen."""

from datetime import datetime
from typing import Final
from uuid import UUID

from interviews.models import Observation
from voice.infra import sql

KEPT: Final = 100
"""Of each kind and interview: a page that reconnects for ever fills no table."""

_NOTE = """
INSERT INTO interviews_observation (session_id, kind, happened_at)
SELECT id, %s, %s FROM interviews_session WHERE id = %s
AND (SELECT count(*) FROM interviews_observation WHERE session_id = %s AND kind = %s) < %s
"""


def note(*, session_id: UUID, kind: Observation.Kind, by: object, now: datetime) -> None:
    """Note that something happened in an interview. Of one that was erased, nothing is noted."""
    sql.change(_NOTE, str(kind), now, session_id, session_id, str(kind), KEPT)
