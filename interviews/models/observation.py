from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from interviews.models.session import Session


class Observation(models.Model):
    """A fact of integrity that no other row tells: something happened at a time. It is never a score."""

    class Kind(models.TextChoices):
        RECONNECTED = "reconnected", _("The connection was lost and came back.")
        OPENED_AGAIN = (
            "opened_again",
            _("The page was opened again: a reload, another tab or another device."),
        )

    session = models.ForeignKey(Session, on_delete=models.CASCADE, related_name="observations")
    kind = models.CharField(max_length=20, choices=Kind.choices)
    happened_at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ["happened_at", "id"]

    def __str__(self) -> str:
        return f"{self.kind} {self.happened_at}"
