import uuid

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from interviews.models.answer import Answer
from interviews.models.session import Session

NOT_ALLOWED = _("The model reasoned with something that must not count, so its suggestion is not shown.")
REASONS = {
    "nothing_said": _("The model found nothing about it in the answers."),
    "unreliable": _("The answers about it were not recognised well enough: listen."),
    "unproven": _("The level does not follow from the words that the model quoted."),
    "quote": _("The model did not prove its level with words that were said."),
    "rationale": _("The model gave no usable reason."),
    "cut_off": _("The answer of the model was cut off."),
    "refusal": _("The model refused to answer."),
    "malformed": _("The answer of the model had another form than asked for."),
}
"""Why there is no suggestion, by `interviews.brain.grading.Grade.reason`. All others are forbidden topics."""


class DraftEvaluation(models.Model):
    """The levels that a language model suggests for a candidate's interview. A person decides.

    It is planned when the candidate agrees, and made when the interview has ended and was transcribed.
    said_key: of the words that it is about (`interviews.queries.suggestions.said_key`).
    addressed: what was left out since it speaks to whoever assesses: [number of the answer, second or null].
    """

    class Status(models.TextChoices):
        WAITING = "waiting", _("not made yet")
        DONE = "done", _("made")
        FAILED = "failed", _("the model could not be reached")
        ENDED = "ended", _("not wanted any more")

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    session = models.OneToOneField(Session, on_delete=models.CASCADE, related_name="draft_evaluation")
    status = models.CharField(max_length=10, choices=Status.choices, default=Status.WAITING)
    model = models.CharField(_("model"), max_length=200, blank=True)
    run_by = models.CharField(max_length=200, blank=True, help_text=_("Who runs the model."))
    prompt_version = models.CharField(_("version of the prompt"), max_length=40, blank=True)
    said_key = models.CharField(max_length=64, blank=True)
    addressed = models.JSONField(default=list)
    attempts = models.PositiveSmallIntegerField(default=0)
    retry_at = models.DateTimeField(default=timezone.now, help_text=_("It is queued again from then."))
    made_at = models.DateTimeField(null=True)

    class Meta:
        verbose_name = _("draft evaluation")
        indexes = [
            models.Index(fields=["retry_at"], condition=models.Q(status="waiting"), name="drafts_to_make")
        ]

    def __str__(self) -> str:
        return f"{self.session_id}, {self.get_status_display()}"


class Suggestion(models.Model):
    """What the model suggests for one criterion, or why it suggests nothing.

    criterion: its id in the rubric of the version that the candidate agreed to.
    quotes: words that were said, as {"number": of the answer, "text", "start_s": null in a typed answer}.
    """

    draft = models.ForeignKey(DraftEvaluation, on_delete=models.CASCADE, related_name="suggestions")
    criterion = models.BigIntegerField()
    level = models.PositiveSmallIntegerField(null=True)
    rationale = models.TextField(blank=True)
    quotes = models.JSONField(default=list)
    reason = models.CharField(max_length=40, blank=True)

    class Meta:
        ordering = ["id"]
        constraints = [
            models.UniqueConstraint(fields=["draft", "criterion"], name="one_suggestion_a_criterion"),
            models.CheckConstraint(
                condition=models.Q(level__isnull=True) | ~models.Q(quotes=[]),
                name="suggested_level_has_a_quote",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.draft_id}, {self.criterion}"

    @property
    def reason_in_words(self) -> str:
        """Why nothing is suggested; "" where something is."""
        return str(REASONS.get(self.reason, NOT_ALLOWED)) if self.reason else ""


class DraftRequest(models.Model):
    """What the language model was sent for a draft evaluation, and what came back.

    key: of what was sent, which is sent once. answer: that it is about; null if it is about several.
    error: the code of the last failure. It may be sent again then.
    """

    draft = models.ForeignKey(DraftEvaluation, on_delete=models.CASCADE, related_name="requests")
    key = models.CharField(max_length=64)
    answer = models.ForeignKey(Answer, null=True, on_delete=models.CASCADE, related_name="+")
    sent = models.JSONField(_("sent"))
    received = models.TextField(_("received"), blank=True)
    ending = models.CharField(max_length=40, blank=True, help_text=_("Empty: there is no answer yet."))
    error = models.CharField(max_length=40, blank=True)
    input_tokens = models.PositiveIntegerField(null=True)
    output_tokens = models.PositiveIntegerField(null=True)
    sent_at = models.DateTimeField(_("sent at"), default=timezone.now)
    took_ms = models.PositiveIntegerField(_("took (ms)"), null=True)

    class Meta:
        ordering = ["id"]
        constraints = [models.UniqueConstraint(fields=["draft", "key"], name="one_request_a_key")]

    def __str__(self) -> str:
        return f"{self.draft_id}, {self.pk}"
