import secrets
import uuid

from django.conf import settings
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from interviews.models.interview import Interview


def new_token() -> str:
    """Return the secret part of a link: 192 random bits."""
    return secrets.token_urlsafe(24)


class Invitation(models.Model):
    """A candidate's link to an interview. The link is the only proof of identity."""

    class Status(models.TextChoices):
        PENDING = "pending", _("not started")
        STARTED = "started", _("started")
        FINISHED = "finished", _("finished")
        EXPIRED = "expired", _("expired")
        REVOKED = "revoked", _("revoked")

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    interview = models.ForeignKey(
        Interview, on_delete=models.PROTECT, related_name="invitations", verbose_name=_("interview")
    )
    candidate_name = models.CharField(_("candidate"), max_length=200)
    candidate_email = models.EmailField(_("e-mail"), blank=True)
    token = models.CharField(max_length=64, unique=True, default=new_token, editable=False)
    status = models.CharField(
        _("status"), max_length=10, choices=Status.choices, default=Status.PENDING, editable=False
    )
    expires_at = models.DateTimeField(_("expires"))
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, editable=False
    )
    created_at = models.DateTimeField(_("created"), default=timezone.now, editable=False)

    class Meta:
        ordering = ["-created_at"]
        indexes = [
            models.Index(
                fields=["expires_at"],
                condition=models.Q(status__in=["pending", "started"]),
                name="invitations_to_expire",
            )
        ]

    def __str__(self) -> str:
        return f"{self.candidate_name} – {self.interview}"

    @property
    def url(self) -> str:
        """The complete link to send to the candidate."""
        return f"{settings.BASE_URL}/i/{self.token}/"
