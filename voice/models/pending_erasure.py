"""What is being erased."""

import uuid

from django.db import models
from django.utils import timezone


class PendingErasure(models.Model):
    """Files, keys in Redis and jobs of something whose row is gone, until none of them is found any more.

    It is written in the transaction that deletes the row, so an erasure that was begun is always completed.
    """

    class Store(models.TextChoices):
        RECORDING = "recording"
        SPEECH = "speech"
        CLONED_VOICE = "cloned_voice"
        BATCH = "batch"
        DATA_KEY = "data_key"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    store = models.CharField(max_length=20, choices=Store.choices)
    key = models.CharField(max_length=64, help_text="The id that the deleted row had.")
    attempts = models.PositiveIntegerField(default=0)
    last_error = models.CharField(max_length=500, blank=True)
    retry_at = models.DateTimeField(
        default=timezone.now, db_index=True, help_text="The sweeper queues it again from then."
    )
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["store", "key"], name="one_pending_erasure_a_key")]

    def __str__(self) -> str:
        return f"{self.store} {self.key}"
