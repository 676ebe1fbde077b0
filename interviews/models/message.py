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
        ADVANCE = "advance", _("next step")
        REJECTION = "rejection", _("rejection")

    class Status(models.TextChoices):
        WAITING = "waiting", _("waiting")
        SENT = "sent", _("sent")
        DELIVERED = "delivered", _("delivered")
        BOUNCED = "bounced", _("came back")
        COMPLAINED = "complained", _("reported as spam")
        FAILED = "failed", _("failed")
        DROPPED = "dropped", _("no longer wanted")

    RETURNED = (Status.BOUNCED, Status.COMPLAINED)

    class ReturnedBecause(models.TextChoices):
        """Why it came back, as far as the mail server or service tells."""

        INVALID = "invalid", _("The address is not valid.")
        BOUNCED = "bounced", _("The address does not exist, or its mailbox is full.")
        TIMED_OUT = "timed_out", _("The address could not be reached for days.")
        BLOCKED = "blocked", _("The mail service does not send to this address any more.")
        SPAM = "spam", _("The person has reported an e-mail as spam.")
        UNSUBSCRIBED = "unsubscribed", _("The person wants no more e-mails of this sender.")
        REFUSED = "refused", _("The mail server refused the address.")
        OTHER = "other", _("The mail service gave no reason.")

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
    returned_because = models.CharField(
        _("reason"), max_length=12, blank=True, default="", db_default="", choices=ReturnedBecause.choices
    )
    service_id = models.CharField(
        max_length=200, blank=True, default="", db_default="", help_text=_("That the mail service gave it.")
    )
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
        verbose_name_plural = _("e-mails")
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
            models.Index(
                fields=["invitation"],
                condition=models.Q(status__in=["bounced", "complained"]),
                name="messages_that_came_back",
            ),
            models.Index(
                fields=["service_id"], condition=~models.Q(service_id=""), name="messages_of_a_service"
            ),
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
        verbose_name_plural = _("e-mail texts")
        constraints = [
            models.UniqueConstraint(
                fields=["organisation", "kind", "language"], name="one_text_a_kind_and_language"
            )
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} ({self.language})"
