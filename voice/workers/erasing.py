"""The job that erases what is left of a deleted row."""

from collections.abc import Sequence
from datetime import timedelta

from django.utils import timezone

from voice.models import PendingErasure
from voice.privacy.stores import STORES
from voice.workers.attempts import STORE_RETRY_S, postpone


def erase_keys(keys: Sequence[str]) -> None:
    """Erase what is pending of these keys now, without waiting for the sweeper."""
    for pending_id in PendingErasure.objects.filter(key__in=keys).values_list("pk", flat=True):
        erase(str(pending_id))


def erase(pending_id: str) -> None:
    """Erase, look, and forget about it once nothing is found. Otherwise the sweeper queues it again."""
    row = PendingErasure.objects.filter(pk=pending_id).first()
    if row is None:
        return
    store = STORES[row.store]
    try:
        store.erase(row.key)
        found = store.find(row.key)
    except Exception as error:
        postpone(row, error, STORE_RETRY_S)
        raise
    if found:  # a worker is still at it
        retry_at = timezone.now() + timedelta(seconds=STORE_RETRY_S)
        PendingErasure.objects.filter(pk=row.pk).update(retry_at=retry_at)
    else:
        row.delete()
