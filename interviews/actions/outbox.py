"""What other systems are told, written with the change itself: no event without its change, and none lost.

    outbox.tell(EventType.INTERVIEW_STARTED, invitation.pk, now=now, session_id=session.pk)

`interviews.webhooks.delivery` sends what waits here, with `claim` and `settle`. Docs: docs/webhooks.md.
"""

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from django.db import transaction
from django.db.models import Exists, OuterRef, Q, QuerySet, TextField
from django.db.models.fields.json import KT
from django.db.models.functions import Cast

from accounts.models import ApiKey
from interviews.actions.errors import WrongState
from interviews.models import (
    Answer,
    EventType,
    WebhookAttempt,
    WebhookDelivery,
    WebhookEndpoint,
    WebhookEvent,
)
from voice.infra import sql
from voice.queues import jobs

QUEUE: Final = "webhooks"
JOB: Final = "interviews.jobs.deliver_webhooks"
MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)
PAUSES: Final = (
    *(timedelta(seconds=5), timedelta(seconds=30), 2 * MINUTE, 10 * MINUTE, 30 * MINUTE),
    *(HOUR, 2 * HOUR, 4 * HOUR, 8 * HOUR, 8 * HOUR),
)
"""After each attempt that failed: 24 hours in all."""
LEASE: Final = timedelta(seconds=30)
"""Longer than a request takes."""
HOLD: Final = 5 * MINUTE
"""So long an event that did not arrive holds back the later ones of its candidate."""
FAILING_FOR: Final = timedelta(days=1)
"""An endpoint at which nothing arrived for so long is switched off."""
KEPT: Final = timedelta(days=30)
AT_ONCE: Final = 1000
WAITING = WebhookDelivery.Status.WAITING


@dataclass(frozen=True, slots=True)
class Claimed:
    """A delivery to be tried now. attempts: this one counted."""

    delivery_id: UUID
    event: WebhookEvent
    attempts: int


@dataclass(frozen=True, slots=True)
class Tried:
    """What came of an attempt."""

    claimed: Claimed
    began_at: datetime
    took_ms: int
    outcome: WebhookAttempt.Outcome
    status_code: int | None = None

    @property
    def is_delivered(self) -> bool:
        return self.outcome == WebhookAttempt.Outcome.OK


def tell(type_: EventType, invitation_id: UUID, *, now: datetime, **ids: UUID) -> None:
    """Write an event about a candidate, for each endpoint that asked for it and for keys that read the feed.

    Call it within the transaction of the change. Trials of recruiters, attempts set aside and candidates who
    are erased meanwhile are no news. Where nobody asked it costs one statement.
    """
    if not sql.fetch(_WANTING, type_, invitation_id, now):
        return
    with transaction.atomic(savepoint=False):
        _lock(invitation_id)
        wanting = sql.fetch(_WANTING, type_, invitation_id, now)
        if not wanting:
            return  # erased meanwhile
        [_endpoint_id, organisation_id, interview_id] = wanting[0]
        named = dict(ids, invitation_id=invitation_id, interview_id=interview_id)
        event = _next_event(organisation_id, type_, subject=invitation_id, ids=named, now=now)
        _line_up(event, [endpoint_id for endpoint_id, *_rest in wanting if endpoint_id is not None])


_WANTING = """
SELECT e.id, w.organisation_id, i.interview_id
FROM interviews_invitation i
JOIN interviews_interview w ON w.id = i.interview_id
LEFT JOIN interviews_webhookendpoint e
  ON e.organisation_id = w.organisation_id AND e.off_reason = '' AND %s = ANY(e.events)
WHERE i.id = %s AND i.tried_id IS NULL AND i.set_aside_of_id IS NULL AND (
  e.id IS NOT NULL OR EXISTS (
    SELECT 1 FROM accounts_apikey k
    WHERE k.organisation_id = w.organisation_id AND k.granted @> '["events:read"]'
      AND k.revoked_at IS NULL AND (k.expires_at IS NULL OR k.expires_at > %s)
  )
)
"""
"""The endpoints that asked, or NULL if only keys read the feed; no row if nobody does."""


@transaction.atomic
def take_back(subject: UUID) -> None:
    """Deliver nothing more about a candidate who is erased, and empty what was told. The news of it stays."""
    _lock(subject)
    told = WebhookEvent.objects.filter(subject=subject).exclude(type=EventType.CANDIDATE_ERASED)
    waiting = WebhookDelivery.objects.filter(event__in=told, status=WAITING)
    waiting.update(status=WebhookDelivery.Status.DROPPED)
    told.update(data={})


def tell_missed_transcripts(*, now: datetime) -> int:
    """Tell of transcripts whose worker died before it did. Return how many.

    The speech service writes them and knows no events, so theirs is not in the same transaction.
    """
    told = WebhookEvent.objects.alias(answer_id=KT("data__answer_id")).filter(
        type=EventType.TRANSCRIPT_READY,
        subject=OuterRef("session__invitation"),
        answer_id=Cast(OuterRef("pk"), TextField()),
    )
    wanting = WebhookEndpoint.objects.filter(
        organisation=OuterRef("session__invitation__interview__organisation"),
        off_reason="",
        events__contains=[EventType.TRANSCRIPT_READY],
        created_at__lt=OuterRef("recording__transcript__finished_at"),
    )
    reading = ApiKey.objects.filter(
        Q(expires_at=None) | Q(expires_at__gt=now),
        organisation=OuterRef("session__invitation__interview__organisation"),
        scopes__contains=[ApiKey.Scope.EVENTS_READ],
        revoked_at=None,
        created_at__lt=OuterRef("recording__transcript__finished_at"),
    )
    ended = Answer.objects.counted().filter(
        Exists(wanting) | Exists(reading),
        ~Exists(told),
        recording__transcript__finished_at__range=(now - HOUR, now - MINUTE),
    )
    missed = list(ended.select_related("session")[:AT_ONCE])
    for answer in missed:
        tell_transcript(answer, now=now)
    return len(missed)


def tell_transcript(answer: Answer, *, now: datetime) -> None:
    """Write that an answer's transcript has ended."""
    ids = {"session_id": answer.session_id, "answer_id": answer.pk}
    tell(EventType.TRANSCRIPT_READY, answer.session.invitation_id, now=now, **ids)


def tell_test(endpoint: WebhookEndpoint, *, now: datetime) -> None:
    """Send the endpoint an event that is about no candidate, whatever it asked for."""
    event = WebhookEvent(organisation_id=endpoint.organisation_id, type=EventType.TEST, happened_at=now)
    event.subject, event.sequence, event.data = event.pk, 1, {}
    with transaction.atomic():
        event.save()
        _line_up(event, [endpoint.pk])


def _next_event(
    organisation_id: int, type_: EventType, *, subject: UUID, ids: Mapping[str, UUID], now: datetime
) -> WebhookEvent:
    """Write the next event of a candidate, whose lock is held."""
    last = (
        WebhookEvent.objects.filter(subject=subject).order_by("-sequence").values_list("sequence", flat=True)
    )
    return WebhookEvent.objects.create(
        organisation_id=organisation_id,
        type=type_,
        subject=subject,
        sequence=(last.first() or 0) + 1,
        data={name: str(value) for name, value in ids.items()},
        happened_at=now,
    )


def _lock(subject: UUID) -> None:
    """Let others who write of the candidate wait for the end of this transaction: numbers follow commits."""
    sql.hold(f"told {subject}")


def _line_up(event: WebhookEvent, endpoint_ids: Sequence[UUID]) -> None:
    """Write a delivery for each endpoint. One that is deleted at this moment costs no event."""
    there = [found for (found,) in sql.fetch(_STILL_THERE, list(endpoint_ids))] if endpoint_ids else []
    WebhookDelivery.objects.bulk_create(
        WebhookDelivery(event=event, endpoint_id=endpoint_id, due_at=event.happened_at)
        for endpoint_id in there
    )
    for endpoint_id in there:
        queue(endpoint_id, organisation_id=event.organisation_id)


_STILL_THERE = "SELECT id FROM interviews_webhookendpoint WHERE id = ANY(%s) ORDER BY id FOR KEY SHARE"


def queue(endpoint_id: UUID, *, organisation_id: int) -> None:
    """Queue the job that delivers to an endpoint; organisations take turns."""
    jobs.enqueue(QUEUE, JOB, str(endpoint_id), job_id=job_id(endpoint_id), tenant=str(organisation_id))


def job_id(endpoint_id: object) -> str:
    """Return the id of the one job that delivers to an endpoint, so that few requests reach it at a time."""
    return f"deliver-webhooks-{endpoint_id}"


def due(*, now: datetime) -> QuerySet[WebhookEndpoint]:
    """Return the endpoints for which something may be sent now."""
    waiting = WebhookDelivery.objects.filter(
        _is_free(now), endpoint=OuterRef("pk"), status=WAITING, due_at__lte=now
    )
    return WebhookEndpoint.objects.filter(Exists(waiting), off_reason="")


@transaction.atomic
def claim(*, endpoint_id: UUID, at_once: int, now: datetime) -> list[Claimed]:
    """Take the next deliveries of an endpoint, the oldest first and one of each candidate.

    Each counts as an attempt and is taken for `LEASE`. A process that dies while it sends loses nothing, and
    the receiver may get the event twice, under the same id.
    at_once: so many are under way at most, over all jobs.
    """
    on = WebhookEndpoint.objects.filter(pk=endpoint_id, off_reason="")
    if not lock(on.select_for_update(no_key=True)):
        return []
    waiting = WebhookDelivery.objects.filter(endpoint=endpoint_id, status=WAITING)
    under_way = waiting.filter(taken_until__gt=now).count()
    earlier = WebhookDelivery.objects.filter(
        endpoint=OuterRef("endpoint"),
        event__subject=OuterRef("event__subject"),
        event__sequence__lt=OuterRef("event__sequence"),
        event__happened_at__gt=now - HOLD,
        status=WAITING,
    )
    rows = waiting.filter(_is_free(now), ~Exists(earlier), due_at__lte=now).select_related("event")
    taken = list(rows.order_by("due_at")[: max(0, at_once - under_way)])
    for delivery in taken:
        delivery.taken_until = now + LEASE
        delivery.attempts += 1
    WebhookDelivery.objects.bulk_update(taken, ["attempts", "taken_until"])
    return [Claimed(each.pk, each.event, each.attempts) for each in taken]


def lock(endpoints: QuerySet[WebhookEndpoint]) -> list[UUID]:
    """Lock endpoints before their deliveries: two that do it in different orders wait for each other."""
    return list(endpoints.values_list("pk", flat=True))


def _is_free(now: datetime) -> Q:
    return Q(taken_until=None) | Q(taken_until__lte=now)


def _pause(attempts: int) -> timedelta:
    """Return how long to wait after so many attempts, a tenth more or less: not all return at once."""
    return PAUSES[min(attempts, len(PAUSES)) - 1] * random.uniform(0.9, 1.1)


@transaction.atomic
def settle(*, endpoint_id: UUID, tried: Sequence[Tried], now: datetime) -> WebhookEndpoint.OffReason | None:
    """Note what came of attempts. Return why the endpoint was switched off, if it was now."""
    lock(WebhookEndpoint.objects.select_for_update(no_key=True).filter(pk=endpoint_id))
    ids = [each.claimed.delivery_id for each in tried]
    kept = set(WebhookDelivery.objects.select_for_update().filter(pk__in=ids).values_list("pk", flat=True))
    WebhookAttempt.objects.bulk_create(
        WebhookAttempt(
            delivery_id=each.claimed.delivery_id,
            began_at=each.began_at,
            took_ms=each.took_ms,
            outcome=each.outcome,
            status_code=each.status_code,
        )
        for each in tried
        if each.claimed.delivery_id in kept  # its webhook may have been deleted meanwhile
    )
    for each in tried:
        waiting = WebhookDelivery.objects.filter(pk=each.claimed.delivery_id, status=WAITING)
        waiting.update(taken_until=None, **_after(each, now))
    return _health(endpoint_id, tried, now)


def _after(tried: Tried, now: datetime) -> dict[str, Any]:
    """Return what becomes of a delivery after an attempt."""
    if tried.is_delivered:
        return {"status": WebhookDelivery.Status.DELIVERED}
    if tried.claimed.attempts > len(PAUSES):
        return {"status": WebhookDelivery.Status.FAILED}
    return {"due_at": now + _pause(tried.claimed.attempts)}


def _health(endpoint_id: UUID, tried: Sequence[Tried], now: datetime) -> WebhookEndpoint.OffReason | None:
    endpoint = WebhookEndpoint.objects.filter(pk=endpoint_id, off_reason="")
    if any(each.is_delivered for each in tried):
        endpoint.exclude(failing_since=None).update(failing_since=None)
    elif tried:
        before = WebhookAttempt.objects.filter(
            delivery__endpoint=endpoint_id, began_at__range=(now - FAILING_FOR, _before(tried))
        )
        begins = Q(failing_since=None) if before.exists() else Q()  # else the failures before are old news
        endpoint.filter(begins).update(failing_since=now)
    if any(each.status_code == 410 for each in tried):
        reason = WebhookEndpoint.OffReason.GONE
    elif endpoint.filter(failing_since__lte=now - FAILING_FOR).exists():
        reason = WebhookEndpoint.OffReason.FAILING
    else:
        return None
    return reason if endpoint.update(off_reason=reason) else None


def _before(tried: Sequence[Tried]) -> datetime:
    """Return the moment before these attempts."""
    return min(each.began_at for each in tried) - timedelta(microseconds=1)


def is_replayable() -> Q:
    """Which deliveries may be sent once more: those that have ended, unless the candidate was erased."""
    ended = Q(status__in=[WebhookDelivery.Status.DELIVERED, WebhookDelivery.Status.FAILED])
    return ended & (~Q(event__data={}) | Q(event__type=EventType.TEST))


@transaction.atomic
def replay(*, delivery: WebhookDelivery, now: datetime) -> None:
    """Send an event once more, under the same id. Raises WrongState if it waits, or was taken back."""
    again = WebhookDelivery.objects.filter(is_replayable(), pk=delivery.pk).values("pk")
    if not WebhookDelivery.objects.filter(pk__in=again).update(status=WAITING, attempts=0, due_at=now):
        raise WrongState("delivery waits, or its candidate was erased.")
    queue(delivery.endpoint_id, organisation_id=delivery.event.organisation_id)


def forget_old(*, now: datetime) -> int:
    """Delete events that are older than `KEPT`, with their log. Return how many."""
    old = WebhookEvent.objects.filter(happened_at__lt=now - KEPT).order_by("happened_at")
    ids = list(old.values_list("pk", flat=True)[:AT_ONCE])
    WebhookEvent.objects.filter(pk__in=ids).delete()
    return len(ids)
