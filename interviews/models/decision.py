from django.conf import settings
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from interviews.models.session import Session


class Decision(models.Model):
    """What becomes of a candidate, and why. It never changes: a later one, with its reason, replaces it."""

    class Outcome(models.TextChoices):
        ADVANCE = "advance", _("advance")
        HOLD = "hold", _("hold")
        REJECT = "reject", _("reject")

    session = models.ForeignKey(Session, on_delete=models.CASCADE, related_name="decisions")
    outcome = models.CharField(_("decision"), max_length=10, choices=Outcome.choices)
    reason = models.TextField(_("reason"), max_length=2000)
    is_current = models.BooleanField(default=True)
    decided_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+"
    )
    decided_at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ["-decided_at", "-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["session"], condition=models.Q(is_current=True), name="one_current_decision"
            )
        ]
        indexes = [
            models.Index(fields=["outcome"], condition=models.Q(is_current=True), name="decisions_by_outcome")
        ]

    def __str__(self) -> str:
        return self.get_outcome_display()
