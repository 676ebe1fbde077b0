import uuid

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from interviews.models.answer import Answer

REASONS = {
    "nothing_to_ask": _("The model found nothing to ask."),
    "cut_off": _("The answer of the model was cut off."),
    "refusal": _("The model refused to answer."),
    "malformed": _("The answer of the model had another form than asked for."),
    "form": _("It was not one short question."),
    "language": _("The question was not in the language of the interview."),
    "quote": _("The question was about words that were not said."),
    "off_topic": _("The question had nothing to do with the answer."),
    "age": _("The question touched on age."),
    "family": _("The question touched on family."),
    "religion": _("The question touched on religion."),
    "health": _("The question touched on health."),
    "origin": _("The question touched on origin."),
    "politics": _("The question touched on politics."),
    "sexuality": _("The question touched on sexuality."),
    "pay": _("The question touched on pay."),
    "record": _("The question touched on a criminal record."),
    "assessment": _("The question was about the assessment itself."),
}
"""Why an answer of the model was not used, by `interviews.brain.follow_up.Found.reason`."""


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

    @property
    def reason_in_words(self) -> str:
        """Why the answer of the model was not used; "" where it was, or where there was none."""
        return str(REASONS.get(self.reason, ""))
