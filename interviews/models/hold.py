import uuid
from typing import Self

from django.conf import settings
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from interviews.models.interview import Interview
from interviews.models.invitation import Invitation


class LegalHolds(models.QuerySet["LegalHold"]):
    def open(self) -> Self:
        """Leave out those that have ended."""
        return self.filter(ended_at=None)


class LegalHold(models.Model):
    """While it lasts, a candidate's data are evidence: they are not erased, whoever asks for it.

    invitation: whose; None: of every candidate of the interview.

    Both foreign keys protect, in the database too: a process of the release before, which knows no holds,
    fails instead of erasing.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    interview = models.ForeignKey(
        Interview, on_delete=models.PROTECT, related_name="holds", verbose_name=_("interview")
    )
    invitation = models.ForeignKey(
        Invitation, null=True, on_delete=models.PROTECT, related_name="holds", verbose_name=_("candidate")
    )
    reason = models.CharField(
        _("reason"),
        max_length=500,
        help_text=_("For those who invite, and for an auditor: the file number will do. Name no candidate."),
    )
    placed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        on_delete=models.SET_NULL,
        related_name="+",
        verbose_name=_("placed by"),
    )
    placed_at = models.DateTimeField(_("placed"), default=timezone.now)
    ended_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        on_delete=models.SET_NULL,
        related_name="+",
        verbose_name=_("ended by"),
    )
    ended_at = models.DateTimeField(_("ended"), null=True)

    objects = LegalHolds.as_manager()

    class Meta:
        verbose_name = _("legal hold")
        verbose_name_plural = _("legal holds")
        ordering = ["-placed_at"]
        constraints = [
            models.UniqueConstraint(
                fields=["invitation"],
                condition=models.Q(ended_at=None, invitation__isnull=False),
                name="one_open_hold_of_a_candidate",
            ),
            models.UniqueConstraint(
                fields=["interview"],
                condition=models.Q(ended_at=None, invitation=None),
                name="one_open_hold_of_an_interview",
            ),
        ]

    def __str__(self) -> str:
        return str(self.id)
