import uuid
from datetime import datetime

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.core.validators import URLValidator
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.models import Organisation
from interviews import tokens


class EventType(models.TextChoices):
    """What other systems can be told. Names are part of the API: never change one."""

    INVITATION_CREATED = "invitation.created", _("a candidate was invited")
    INTERVIEW_STARTED = "interview.started", _("a candidate consented and began")
    INTERVIEW_COMPLETED = "interview.completed", _("a candidate finished")
    INTERVIEW_ABANDONED = "interview.abandoned", _("a candidate did not come back")
    TRANSCRIPT_READY = "transcript.ready", _("an answer was transcribed")
    SCORE_UPDATED = "score.updated", _("a reviewer submitted a score")
    DECISION_MADE = "decision.made", _("a candidate was decided on")
    CANDIDATE_ERASED = "candidate.erased", _("a candidate was erased")
    TEST = "webhook.test", _("a test, sent by hand")


class WebhookEndpoint(models.Model):
    """An address of another system, which is told of events (Standard Webhooks).

    previous_secret: signs as well until `previous_until`: a receiver has time to take over the new one.
    failing_since: since when no delivery has arrived; None while they do.
    """

    class OffReason(models.TextChoices):
        NONE = "", _("it is on")
        BY_HAND = "by_hand", _("switched off by a person")
        GONE = "gone", _("the receiver answered 410 Gone")
        FAILING = "failing", _("nothing arrived for a day")

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    organisation = models.ForeignKey(
        Organisation, on_delete=models.CASCADE, related_name="webhooks", verbose_name=_("organisation")
    )
    url = models.CharField(_("address"), max_length=500, validators=[URLValidator(schemes=["https", "http"])])
    description = models.CharField(_("description"), max_length=200, blank=True, default="")
    events = ArrayField(models.CharField(max_length=40, choices=EventType.choices), verbose_name=_("events"))
    off_reason = models.CharField(
        _("status"), max_length=10, choices=OffReason.choices, blank=True, default=OffReason.NONE
    )
    secret_encrypted = models.BinaryField()
    previous_secret_encrypted = models.BinaryField(null=True)
    previous_until = models.DateTimeField(null=True)
    failing_since = models.DateTimeField(_("failing since"), null=True)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+"
    )
    created_at = models.DateTimeField(_("created"), default=timezone.now)

    class Meta:
        ordering = ["-created_at"]
        verbose_name = _("webhook")
        verbose_name_plural = _("webhooks")

    def __str__(self) -> str:
        return self.description or self.url

    @property
    def is_on(self) -> bool:
        return not self.off_reason

    @property
    def secret(self) -> str:
        """As receivers keep it: `whsec_…`. Raises UnreadableToken, if its key is missing in `TOKEN_KEYS`."""
        return tokens.decrypt(bytes(self.secret_encrypted))

    def secrets(self, now: datetime) -> list[str]:
        """Return every secret that signs now, the newest first. Raises UnreadableToken as `secret` does."""
        kept = [self.secret_encrypted]
        if self.previous_secret_encrypted is not None and self.previous_until and self.previous_until > now:
            kept.append(self.previous_secret_encrypted)
        return [tokens.decrypt(bytes(each)) for each in kept]


class WebhookEvent(models.Model):
    """Something that happened to a candidate, written in the same transaction: the outbox.

    subject: the id of the candidate's invitation; no foreign key, for the news of an erasure outlives it.
    sequence: 1, 2, 3 … for each subject. data: ids only; who wants more asks the API with a key.
    position: in the feed of the organisation; None until a reader finds it there.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    organisation = models.ForeignKey(Organisation, on_delete=models.CASCADE, related_name="+")
    type = models.CharField(_("event"), max_length=40, choices=EventType.choices)
    subject = models.UUIDField(_("invitation"))
    sequence = models.PositiveIntegerField(_("sequence"))
    data = models.JSONField()
    happened_at = models.DateTimeField(_("happened at"), default=timezone.now, db_index=True)
    position = models.PositiveBigIntegerField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["subject", "sequence"], name="one_event_for_a_number"),
        ]
        indexes = [
            models.Index(fields=["organisation", "position"], name="events_by_place"),
            models.Index(
                fields=["organisation"],
                condition=models.Q(position=None) & ~models.Q(type=EventType.TEST),
                name="events_without_a_place",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.type} {self.sequence}"


class EventFeed(models.Model):
    """How many events of an organisation were given a place in its feed. Its lock is held while some are."""

    organisation = models.OneToOneField(
        Organisation, primary_key=True, on_delete=models.CASCADE, related_name="+"
    )
    last_position = models.PositiveBigIntegerField(default=0)

    def __str__(self) -> str:
        return f"{self.organisation_id}: {self.last_position}"


class WebhookDelivery(models.Model):
    """An event on its way to one endpoint.

    due_at: when it is tried next. taken_until: a job sends it until then at most; None: none does.
    """

    class Status(models.TextChoices):
        WAITING = "waiting", _("waiting")
        DELIVERED = "delivered", _("delivered")
        FAILED = "failed", _("given up")
        DROPPED = "dropped", _("not wanted any more")

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    event = models.ForeignKey(
        WebhookEvent, on_delete=models.CASCADE, related_name="deliveries", verbose_name=_("event")
    )
    endpoint = models.ForeignKey(
        WebhookEndpoint, on_delete=models.CASCADE, related_name="deliveries", verbose_name=_("webhook")
    )
    status = models.CharField(_("status"), max_length=10, choices=Status.choices, default=Status.WAITING)
    attempts = models.PositiveSmallIntegerField(_("attempts"), default=0)
    due_at = models.DateTimeField(_("next attempt"), default=timezone.now)
    taken_until = models.DateTimeField(null=True)

    class Meta:
        verbose_name = _("delivery")
        verbose_name_plural = _("deliveries")
        indexes = [
            models.Index(
                fields=["endpoint", "due_at"],
                name="deliveries_that_wait",
                condition=models.Q(status="waiting"),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.event} ({self.get_status_display()})"


class WebhookAttempt(models.Model):
    """One try to deliver, and what came of it. What the receiver wrote is not kept."""

    class Outcome(models.TextChoices):
        OK = "ok", _("accepted")
        STATUS = "status", _("refused by the receiver")
        REDIRECT = "redirect", _("redirected elsewhere, which is not followed")
        TIMEOUT = "timeout", _("no answer in time")
        UNREACHED = "unreached", _("not reached")
        NOT_ALLOWED = "not_allowed", _("an address inside a private network")
        INSECURE = "insecure", _("its certificate is not valid")

    delivery = models.ForeignKey(WebhookDelivery, on_delete=models.CASCADE, related_name="tries")
    began_at = models.DateTimeField(_("time"))
    took_ms = models.PositiveIntegerField(_("took (ms)"))
    outcome = models.CharField(_("outcome"), max_length=12, choices=Outcome.choices)
    status_code = models.PositiveSmallIntegerField(_("HTTP status"), null=True)

    class Meta:
        ordering = ["began_at"]

    def __str__(self) -> str:
        return f"{self.get_outcome_display()} {self.status_code or ''}".strip()
