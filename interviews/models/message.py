import uuid

from django.conf import settings
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from interviews.models.invitation import Invitation


class Message(models.Model):
    """An e-mail to a candidate. Its text is made when it is sent, and again when somebody reads it here.

    So no table holds a link, and an erased candidate leaves nothing.
    """

    class Kind(models.TextChoices):
        INVITATION = "invitation", _("invitation")
        REMINDER = "reminder", _("reminder")

    class Status(models.TextChoices):
        WAITING = "waiting", _("waiting")
        SENT = "sent", _("sent")
        FAILED = "failed", _("failed")
        DROPPED = "dropped", _("no longer wanted")

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    invitation = models.ForeignKey(
        Invitation, on_delete=models.CASCADE, related_name="messages", verbose_name=_("candidate")
    )
    kind = models.CharField(_("kind"), max_length=12, choices=Kind.choices)
    days_before = models.PositiveSmallIntegerField(
        null=True, help_text=_("Of a reminder: so many days before the deadline.")
    )
    status = models.CharField(_("status"), max_length=10, choices=Status.choices, default=Status.WAITING)
    attempts = models.PositiveSmallIntegerField(_("tries"), default=0)
    last_error = models.CharField(_("last error"), max_length=200, blank=True)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, verbose_name=_("asked for by")
    )
    created_at = models.DateTimeField(_("asked for"), default=timezone.now)
    retry_at = models.DateTimeField(
        default=timezone.now, help_text=_("The sweeper queues it again from then.")
    )
    sent_at = models.DateTimeField(_("sent"), null=True)

    class Meta:
        ordering = ["-created_at"]
        verbose_name = _("e-mail")
        constraints = [
            models.UniqueConstraint(
                fields=["invitation", "days_before"],
                condition=models.Q(kind="reminder"),
                name="one_reminder_a_day",
            ),
            models.CheckConstraint(
                condition=~models.Q(status="sent") | models.Q(sent_at__isnull=False),
                name="sent_message_has_a_time",
            ),
        ]
        indexes = [
            models.Index(fields=["retry_at"], condition=models.Q(status="waiting"), name="messages_to_send"),
            models.Index(fields=["-created_at"], name="newest_messages"),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} – {self.invitation}"


class MailTemplate(models.Model):
    """An organisation's own words for one kind of e-mail, in one language."""

    organisation = models.ForeignKey(
        "accounts.Organisation", on_delete=models.CASCADE, verbose_name=_("organisation")
    )
    kind = models.CharField(_("kind"), max_length=12, choices=Message.Kind.choices)
    language = models.CharField(_("language"), max_length=16)
    subject = models.CharField(_("subject"), max_length=200)
    body = models.TextField(_("text"), max_length=5000)

    class Meta:
        ordering = ["organisation", "kind", "language"]
        verbose_name = _("e-mail text")
        constraints = [
            models.UniqueConstraint(
                fields=["organisation", "kind", "language"], name="one_text_a_kind_and_language"
            )
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} ({self.language})"
