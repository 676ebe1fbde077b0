"""Voices cloned from a recording of a person who agreed."""

import uuid

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _


class ClonedVoice(models.Model):
    """A voice that only its owner may use. Without consent there is no row."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    owner = models.CharField(
        max_length=80, help_text=_("voice.callers.Caller.owner of whoever registered it.")
    )
    name = models.CharField(max_length=64)
    storage_name = models.CharField(max_length=200, help_text=_("The reference recording."))
    sha256 = models.CharField(max_length=64, help_text=_("Of the reference recording: names its embedding."))
    duration_ms = models.PositiveIntegerField()
    has_consent = models.BooleanField(help_text=_("The speaker agreed to have their voice cloned."))
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["owner", "name"], name="one_cloned_voice_a_name"),
            models.CheckConstraint(condition=models.Q(has_consent=True), name="cloned_voice_has_consent"),
        ]

    def __str__(self) -> str:
        return self.name
