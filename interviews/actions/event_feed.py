"""The feed of an organisation's events, for programs that ask instead of being told.

The events are those of the outbox. Each gets its place when a reader finds it committed. A change that began
earlier and ends later comes behind what was read already, so a reader who goes on from a place misses none.
"""

from typing import Final

from django.db import transaction
from django.db.models import QuerySet

from accounts.models import Organisation
from interviews.actions.errors import BadValue
from interviews.models import EventFeed, EventType, WebhookEvent
from voice.infra import sql

PLACED_AT_ONCE: Final = 1000


def after(position: int, *, organisation: Organisation) -> QuerySet[WebhookEvent]:
    """Return the events behind a place, in order; what was told about erased candidates is left out.

    position: of an event of this feed; 0: from the beginning.

    Raises BadValue for a place that the feed has not reached: it is that of another installation, or of one
    that was restored since.
    """
    feed = _with_places(organisation)
    if position > feed.last_position:
        raise BadValue("after: this feed has no such place. Begin without it.")
    behind = WebhookEvent.objects.filter(organisation=organisation, position__gt=position)
    return behind.exclude(data={}).order_by("position")


def _with_places(organisation: Organisation) -> EventFeed:
    """Give events that have no place the next ones; those of a candidate keep their order."""
    feed, _is_new = EventFeed.objects.get_or_create(organisation=organisation)
    if not _unplaced(organisation).exists():
        return feed
    with transaction.atomic():
        feed = EventFeed.objects.select_for_update().get(organisation=organisation)
        placed = sql.fetch(_PLACE, feed.last_position, organisation.pk, PLACED_AT_ONCE)
        feed.last_position += len(placed)
        feed.save(update_fields=["last_position"])
    return feed


def _unplaced(organisation: Organisation) -> QuerySet[WebhookEvent]:
    rows = WebhookEvent.objects.filter(organisation=organisation, position=None)
    return rows.exclude(type=EventType.TEST)


_PLACE = """
UPDATE interviews_webhookevent e SET position = next.position
FROM (
  SELECT id, %s + row_number() OVER (ORDER BY since, subject, sequence) AS position
  FROM (
    SELECT id, subject, sequence, max(happened_at) OVER (PARTITION BY subject ORDER BY sequence) AS since
    FROM interviews_webhookevent
    WHERE organisation_id = %s AND position IS NULL AND type <> 'webhook.test'
  ) unplaced
  ORDER BY since, subject, sequence LIMIT %s
) next
WHERE e.id = next.id RETURNING e.position
"""
