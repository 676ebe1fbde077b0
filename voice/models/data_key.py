"""The keys that encrypt what belongs to one person."""

import uuid

from django.db import models
from django.utils import timezone


class DataKey(models.Model):
    """That a data key may be used. The key itself lies in a store of its own (`voice.encryption.keys`)."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    created_at = models.DateTimeField(default=timezone.now)
    made_at = models.DateTimeField(null=True, help_text="Null: nothing was encrypted with it yet.")

    def __str__(self) -> str:
        return str(self.id)
