"""Sessions in the browser: whose they are, when they end, and ending them.

A session ends when nothing was asked for `SIGNED_IN_IDLE_MINUTES`, and at the latest `SIGNED_IN_HOURS`
after it began. The row's `expire_date` is the earlier of the two, so whatever reads a session obeys both.
"""

import time
from datetime import UTC, datetime, timedelta
from typing import Any

from django.conf import settings
from django.contrib.auth import SESSION_KEY
from django.contrib.auth.signals import user_logged_in
from django.contrib.sessions.backends import db
from django.db.models import QuerySet
from django.dispatch import receiver
from django.http import HttpRequest
from django.utils import timezone

from accounts.models import BrowserSession, User
from accounts.networks import address_of, network_of
from accounts.sign_on.signals import session_ended

BEGAN, CONFIRMED, SECOND_FACTOR = "began", "confirmed_at", "has_second_factor"
"""Names in a session: when, where and in which browser it began; when its user last proved who they are, in
seconds since 1970; whether that was with a second factor."""
SEEN_EACH_S = 60
"""A session that is in use is written at most this often."""

BROWSERS = {"Edg/": "Edge", "OPR/": "Opera", "Firefox/": "Firefox", "Chrome/": "Chrome", "Safari/": "Safari"}
SYSTEMS = {
    "iPhone": "iOS", "iPad": "iPadOS", "Android": "Android", "Windows": "Windows", "Mac OS": "macOS",
    "CrOS": "ChromeOS", "Linux": "Linux",
}  # fmt: skip
"""Parts of a User-Agent, in the order in which they are looked for."""


class SessionStore(db.SessionStore):
    """Django's, in a table that says whose a session is, and when it was last in use."""

    seen_at: datetime | None = None

    @classmethod
    def get_model_class(cls) -> Any:
        return BrowserSession

    def load(self) -> dict[str, Any]:
        return self._read(self._get_session_from_db())  # type: ignore[attr-defined]

    async def aload(self) -> dict[str, Any]:
        return self._read(await self._aget_session_from_db())  # type: ignore[attr-defined]

    def _read(self, row: BrowserSession | None) -> dict[str, Any]:
        self.seen_at = row.seen_at if row else None
        return self.decode(row.session_data) if row else {}

    def create_model_instance(self, data: dict[str, Any]) -> BrowserSession:
        return self._row(self._get_or_create_session_key(), data)  # type: ignore[attr-defined]

    async def acreate_model_instance(self, data: dict[str, Any]) -> BrowserSession:
        return self._row(await self._aget_or_create_session_key(), data)  # type: ignore[attr-defined]

    def _row(self, key: str, data: dict[str, Any]) -> BrowserSession:
        now, began = timezone.now(), data.get(BEGAN, {})
        began_at = datetime.fromtimestamp(began["at"], UTC) if began else now
        self.seen_at = now
        return BrowserSession(
            session_key=key,
            session_data=self.encode(data),
            expire_date=end_of(began_at, now),
            user_id=data.get(SESSION_KEY),
            began_at=began_at,
            seen_at=now,
            network=began.get("network", ""),
            browser=began.get("browser", ""),
            has_second_factor=bool(data.get(SECOND_FACTOR)),
        )


def end_of(began_at: datetime, seen_at: datetime) -> datetime:
    """Return when a session ends that was last in use at `seen_at`."""
    idle, whole = (
        timedelta(minutes=settings.SIGNED_IN_IDLE_MINUTES),
        timedelta(hours=settings.SIGNED_IN_HOURS),
    )
    return min(seen_at + idle, began_at + whole)


def note_use(session: Any) -> None:
    """Write that a session is in use, unless that was written within the last minute."""
    now, began = timezone.now(), session.get(BEGAN)
    if not began or not session.seen_at or (now - session.seen_at).total_seconds() < SEEN_EACH_S:
        return
    began_at = datetime.fromtimestamp(began["at"], UTC)
    rows = BrowserSession.objects.filter(pk=session.session_key)
    rows.update(seen_at=now, expire_date=end_of(began_at, now))
    session.seen_at = now


@receiver(user_logged_in)
def _note_beginning(request: HttpRequest, **signal: Any) -> None:
    """Every way to sign in begins a session: its limits count from here, and the proof is fresh."""
    now, session = time.time(), request.session
    browser = browser_of(request.META.get("HTTP_USER_AGENT", ""))
    session[BEGAN] = {"at": now, "network": network_of(address_of(request)), "browser": browser}
    session[CONFIRMED] = now
    session[SECOND_FACTOR] = getattr(request, SECOND_FACTOR, False)


def browser_of(agent: str) -> str:
    """Return what a User-Agent calls itself, as "Firefox, Linux"; empty for what is no known browser."""
    found = (
        next((name for part, name in names.items() if part in agent), "") for names in (BROWSERS, SYSTEMS)
    )
    return ", ".join(name for name in found if name)


def confirm(request: HttpRequest) -> None:
    """Note that the user has just proved again who they are."""
    request.session[CONFIRMED] = time.time()


def note_proof(request: HttpRequest, at: Any) -> None:
    """Note when the provider last asked for a proof: it signs people in whom it asked hours ago.

    at: `auth_time` of the ID token, in seconds since 1970. What is no number counts as long ago.
    """
    is_number = isinstance(at, int | float) and not isinstance(at, bool)
    request.session[CONFIRMED] = min(at, time.time()) if is_number else 0


def is_confirmed(request: HttpRequest, within_s: float) -> bool:
    """Whether the user proved who they are within this time."""
    return time.time() - request.session.get(CONFIRMED, 0) <= within_s


def of_user(user: User) -> QuerySet[BrowserSession]:
    """Return the user's sessions that have not ended, the one used last first."""
    return BrowserSession.objects.filter(user=user, expire_date__gt=timezone.now()).order_by("-seen_at")


def end(rows: QuerySet[BrowserSession], *, by: Any) -> int:
    """End sessions, and the sockets that they opened; return how many."""
    ended = list(rows)
    for row in ended:
        row.delete()  # tells the sockets
        session_ended.send(BrowserSession, session=row, by=by)
    return len(ended)


def end_without_second_factor(rows: QuerySet[BrowserSession], *, by: Any) -> int:
    """End those sessions that began without a second factor; return how many."""
    return end(rows.filter(has_second_factor=False), by=by)
