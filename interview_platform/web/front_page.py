"""The front page of the admin: who is in an interview now, what waits for the reader, how it goes."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any, NamedTuple, cast

import redis
from django.conf import settings
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import ngettext

from accounts import access
from accounts.models import User
from interviews.admission import waiting_room
from interviews.analytics import panels
from interviews.analytics.forms import SelectionForm
from interviews.models import Invitation, Session
from interviews.queries import invited, progress, review_queue
from interviews.watching import view as watching
from interviews.watching.view import PANEL, Shown
from voice.infra import redis_clients
from voice.queues import pools
from voice.web import engines_page

LATEST, DAYS = 10, 30
"""How many candidates are listed, and of how many days funnel and trend are."""
SESSION_PATH = "invitation__interview__organisation_id"
LABELS = {"under_way": "warning", "finished": "success", "checking": "info", "practising": "info"}
SPEECH_QUEUES = ("stt", "tts")
"""For candidates: answers to recognise, questions to speak."""


@dataclass(frozen=True, slots=True)
class Errand:
    """Something that waits for the reader. count: never 0."""

    count: int
    text: str
    address: str


class Speech(NamedTuple):
    """Whether speech works: a verdict for each direction, and how long the first job has waited, in s."""

    directions: list[engines_page.Direction]
    oldest_s: int


def front_page(request: HttpRequest, context: dict[str, Any]) -> dict[str, Any]:
    """Return what the page shows. The number of statements does not depend on how much there is."""
    user = cast("User", request.user)
    if not access.has_any(user):
        return {**context, "is_member": False}
    seen = watching.read(user, Shown(size=PANEL))
    sessions = access.scoped(Session.objects.counted(), user, path=SESSION_PATH)
    invitations = access.scoped(Invitation.objects.counted(), user, path="interview__organisation_id")
    latest = progress.of_sessions(sessions.select_related("invitation__interview")).order_by("-consented_at")
    return {
        **context,
        "is_member": True,
        "is_writer": access.has_any(user, access.WRITERS),
        "view": seen,
        "under_way": seen.counts["here"] + seen.counts["unseen"],
        "finished": sessions.filter(status=Session.Status.FINISHED).count(),
        "not_started": invitations.filter(status=Invitation.Status.PENDING).count(),
        "candidates": _or_none(waiting_room.numbers) if access.is_unlimited(user) else None,
        "errands": errands(user, unseen=seen.counts["unseen"]),
        "speech": _or_none(_speech),
        "latest": [(row, progress.of(row), LABELS.get(row.status, "")) for row in latest[:LATEST]],
        **_figures(user),
    }


def errands(user: User, *, unseen: int) -> list[Errand]:
    """Return what waits for the user. unseen: interviews that were begun and left."""
    queue = reverse("admin:interviews_session_queue")
    to_score, mentions = review_queue.to_score(user).count(), review_queue.mentions(user).count()
    found = [
        Errand(to_score, ngettext("candidate to score", "candidates to score", to_score), queue),
        Errand(mentions, ngettext("note that mentions you", "notes that mention you", mentions), queue),
        Errand(
            unseen,
            ngettext("interview begun and left", "interviews begun and left", unseen),
            f"{reverse('watching')}?unseen=1",
        ),
    ]
    if access.has_any(user, access.WRITERS):
        found += _errands_of_writers(invited.waiting(user, now=timezone.now()))
    return [errand for errand in found if errand.count]


def _errands_of_writers(waiting: invited.Waiting) -> list[Errand]:
    invitations = reverse("admin:interviews_invitation_changelist")
    mails, interviews = (reverse(f"admin:interviews_{name}_changelist") for name in ("message", "interview"))
    return [
        Errand(
            waiting.ending,
            ngettext(
                "invitation that ends within three days, not begun",
                "invitations that end within three days, not begun",
                waiting.ending,
            ),
            f"{invitations}?ends=soon",
        ),
        Errand(
            waiting.too_late,
            ngettext(
                "invitation that cannot begin: the interview’s deadline is over",
                "invitations that cannot begin: the interview’s deadline is over",
                waiting.too_late,
            ),
            f"{invitations}?ends=too_late",
        ),
        Errand(
            waiting.failed_mails,
            ngettext("e-mail that did not arrive", "e-mails that did not arrive", waiting.failed_mails),
            f"{mails}?delivery=failed",
        ),
        Errand(
            waiting.drafts,
            ngettext("interview not published yet", "interviews not published yet", waiting.drafts),
            f"{interviews}?status__exact=draft",
        ),
    ]


def _figures(user: User) -> dict[str, Any]:
    """Return funnel and trend of the last days, with the address of the candidates behind a figure."""
    today = timezone.localdate()
    form = SelectionForm({"first": today - timedelta(days=DAYS - 1), "last": today}, user=user)
    if not form.is_valid():
        return {}
    selection = form.selection()
    return {
        "panels": [panels.funnel(selection), panels.trend(selection)],
        "address": selection.address,
        "days": DAYS,
    }


def _speech() -> Speech:
    """Raises redis.RedisError."""
    lists = {name for queue in SPEECH_QUEUES for name in pools.lists_of(queue)}
    waits = pools.read(sorted(lists.intersection(settings.QUEUE_NAMES)), "", redis_clients.sync_client())
    return Speech(engines_page.directions(), round(max(wait.oldest_s for wait in waits)))


def _or_none(read: Any) -> Any:
    """Return what is read from Redis; None while it is not reached."""
    try:
        return read()
    except redis.RedisError:
        return None
