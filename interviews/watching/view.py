"""What the page shows: a row for each candidate of a part of the list, and counts of all."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, Final, NamedTuple, Self
from urllib.parse import urlencode

import redis
from django.urls import reverse
from django.utils import formats, timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts import access
from accounts.models import User
from interviews.admission import waiting_room
from interviews.admission.waiting_room import Connection
from interviews.models import Session
from interviews.queries import watching
from interviews.queries.watching import Doing, Stand

PAGE, PANEL = 50, 8
"""Rows at a time: of the page, and of the panel on the overview."""
LAST_PAGE = 10_000

WORDS: Final = {
    Doing.CHECKING: gettext_lazy("checks devices"),
    Doing.PRACTISING: gettext_lazy("practises"),
    Doing.BETWEEN: gettext_lazy("about to hear the question"),
    Doing.THINKING: gettext_lazy("thinking"),
    Doing.ANSWERING: gettext_lazy("answering"),
    Doing.ANSWERED: gettext_lazy("has answered, may record again"),
    Doing.AWAITING: gettext_lazy("has answered, perhaps a follow-up question comes"),
    Doing.AT_QUESTION: gettext_lazy("answers questions"),
}
IN_LINE = gettext_lazy("in line, waiting to be let in")


class Shown(NamedTuple):
    """The part of the list that a page shows."""

    is_unseen: bool = False
    page: int = 1
    size: int = PAGE

    @classmethod
    def of_address(cls, parameters: Mapping[str, str]) -> Self:
        """Return what an address asks for: `?unseen=1&page=2`, or `?panel=1`. Anything else is page 1."""
        asked = parameters.get("page", "1")
        number = int(asked) if asked.isascii() and asked.isdigit() and len(asked) < 6 else 1
        size = PANEL if parameters.get("panel") == "1" else PAGE
        return cls(parameters.get("unseen") == "1", min(max(number, 1), LAST_PAGE), size)

    @property
    def query(self) -> str:
        """The same part of the list, as parameters of an address."""
        asked = {"unseen": 1} if self.is_unseen else {}
        return urlencode({**asked, **({"panel": 1} if self.size == PANEL else {}), "page": self.page})

    @property
    def before(self) -> str:
        """The page before, as parameters of an address."""
        return self._replace(page=self.page - 1).query

    @property
    def after(self) -> str:
        """The page after this one."""
        return self._replace(page=self.page + 1).query


class Row(NamedTuple):
    """A candidate, in words. doing, tone: what the candidate does, and the same for a style sheet."""

    id: str
    name: str
    interview: str
    address: str
    question: str
    doing: str
    tone: str
    answered: int
    total: int
    progress: str
    connection: str
    seen: str
    is_away: bool


class View(NamedTuple):
    """What one person sees. counts: with `page` and `pages`. organisations: None for all."""

    counts: dict[str, int]
    rows: list[Row]
    shown: Shown
    organisations: frozenset[int] | None


def read(user: User, shown: Shown) -> View:
    """Read what the user may see of interviews under way: three statements and one call of Redis."""
    now = timezone.now()
    sessions = watching.under_way(user)
    counts = watching.count(sessions, now=now)
    total = counts.unseen if shown.is_unseen else counts.here
    pages = max(1, -(-total // shown.size))
    shown = shown._replace(page=min(shown.page, pages))
    first = shown.size * (shown.page - 1)
    found = watching.page(sessions, is_unseen=shown.is_unseen, first=first, size=shown.size, now=now)
    rows = _rows(user, list(found), now=now)
    told = {**counts._asdict(), "here": counts.here, "page": shown.page, "pages": pages}
    return View(told, rows, shown, None if access.is_unlimited(user) else access.organisation_ids(user))


def _rows(user: User, sessions: list[Session], *, now: datetime) -> list[Row]:
    stands = watching.stands(sessions)
    for session in sessions:
        if not access.has_role(user, session.interview.organisation_id, access.WRITERS):
            stands[session.pk] = watching.without_pace(stands[session.pk])
    try:
        connections: Any = waiting_room.connections([session.pk for session in sessions])
    except redis.RedisError:
        connections = [None] * len(sessions)
    return [
        _row(session, stands[session.pk], connection, now=now)
        for session, connection in zip(sessions, connections, strict=True)
    ]


def _row(session: Session, stand: Stand, connection: Connection | None, *, now: datetime) -> Row:
    is_in_line = bool(connection and connection.is_in_line)
    number = {"number": stand.number, "total": stand.progress.total}
    return Row(
        id=str(session.pk),
        name=session.invitation.candidate_name,
        interview=session.interview.title,
        address=reverse("admin:interviews_session_change", args=[session.pk]),
        question=_("Question %(number)s of %(total)d") % number if stand.number else "",
        doing=str(IN_LINE if is_in_line else WORDS[stand.doing]),
        tone="in-line" if is_in_line else stand.doing.value,
        answered=stand.progress.answered,
        total=stand.progress.total,
        progress=str(stand.progress),
        connection=_state(connection),
        seen=_seen(session, connection, now=now),
        is_away=connection is not None and not connection.is_open,
    )


def _state(connection: Connection | None) -> str:
    if connection is None:
        return _("not known")  # Redis is not reached
    return _("connected") if connection.is_open else _("away")


def _seen(session: Session, connection: Connection | None, *, now: datetime) -> str:
    """Return when the candidate was last there, in the time zone of whoever looks."""
    if connection is not None and connection.is_open:
        return _("now")
    at = session.last_seen_at
    if connection is not None and connection.lost_s is not None:
        at = max(at, now - timedelta(seconds=connection.lost_s))
    local = timezone.localtime(at)
    is_today = local.date() == timezone.localdate(now)
    return formats.date_format(local, "TIME_FORMAT" if is_today else "SHORT_DATETIME_FORMAT")
