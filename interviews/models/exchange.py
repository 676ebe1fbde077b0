import uuid

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from interviews.models.answer import Answer


class Exchange(models.Model):
    """What the language model was sent about an answer, what came back, and what became of it."""

    class Outcome(models.TextChoices):
        SENT = "sent", _("no answer yet")
        PROPOSED = "proposed", _("a question that waits to be asked")
        ASKED = "asked", _("its question was asked")
        LATE = "late", _("its question came too late")
        REFUSED = "refused", _("its answer was not used")
        FAILED = "failed", _("the model could not be reached")

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    answer = models.OneToOneField(Answer, on_delete=models.CASCADE, related_name="exchange")
    model = models.CharField(_("model"), max_length=200)
    prompt_version = models.CharField(_("version of the prompt"), max_length=40)
    sent = models.JSONField(_("sent"))
    received = models.TextField(_("received"), blank=True, default="")
    outcome = models.CharField(_("outcome"), max_length=10, choices=Outcome.choices, default=Outcome.SENT)
    reason = models.CharField(_("reason"), max_length=40, blank=True, default="")
    question = models.TextField(blank=True, default="", help_text=_("As it may be asked; empty: none."))
    speech_key = models.CharField(max_length=64, blank=True, default="", help_text=_("Of that question."))
    input_tokens = models.PositiveIntegerField(null=True)
    output_tokens = models.PositiveIntegerField(null=True)
    sent_at = models.DateTimeField(_("sent at"), default=timezone.now)
    took_ms = models.PositiveIntegerField(_("took (ms)"), null=True)

    class Meta:
        verbose_name = _("exchange with the language model")
        ordering = ["sent_at"]

    def __str__(self) -> str:
        return f"{self.model}, {self.get_outcome_display()}"
