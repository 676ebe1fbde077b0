import uuid

from django.conf import settings
from django.core.validators import (
    MaxLengthValidator,
    MaxValueValidator,
    MinLengthValidator,
    MinValueValidator,
)
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from interviews.models.interview import Interview
from interviews.texts.languages import LANGUAGES

LEAST_QUESTIONS, MOST_QUESTIONS = 3, 12
SHORTEST_TEXT, LONGEST_TEXT = 80, 20_000

REASONS = {
    "cut_off": _("The answer of the model was cut off."),
    "refusal": _("The model refused to answer."),
    "malformed": _("The answer of the model had another form than asked for."),
    "too_little": _("Too little of the model’s answer could be used."),
    "not_reached": _("The model could not be reached."),
    "lost": _("It was interrupted."),
    "turned_off": _("The language model was turned off."),
    "form": _("too long, or not plain text"),
    "language": _("in another language"),
    "twice": _("there twice"),
    "age": _("touches on age"),
    "family": _("touches on family"),
    "religion": _("touches on religion"),
    "health": _("touches on health"),
    "origin": _("touches on origin"),
    "politics": _("touches on politics"),
    "sexuality": _("touches on sexuality"),
    "pay": _("touches on pay"),
    "record": _("touches on a criminal record"),
    "assessment": _("is about the assessment itself"),
}
"""Why an answer of the model, or a part of it, was not used, by the reasons of `brain.interview_draft`."""


class JobDescription(models.Model):
    """A text from which the language model drafts an interview; what it was sent, and what came back.

    Nothing of it is published: the interview is a draft that people edit.
    left_out: [text, reason] of each part of the answer that was not used.
    """

    class Status(models.TextChoices):
        WAITING = "waiting", _("waiting")
        SENT = "sent", _("being drafted")
        DRAFTED = "drafted", _("drafted")
        REFUSED = "refused", _("answer not used")
        FAILED = "failed", _("failed")
        CANCELLED = "cancelled", _("cancelled")

    UNDER_WAY = (Status.WAITING, Status.SENT)
    FILLED_IN_LATER = frozenset(
        {"left_out", "interview", "sent", "input_tokens", "output_tokens", "sent_at", "took_ms"}
    )

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    organisation = models.ForeignKey(
        "accounts.Organisation",
        on_delete=models.CASCADE,
        related_name="job_descriptions",
        verbose_name=_("organisation"),
    )
    text = models.TextField(
        _("job description"),
        max_length=LONGEST_TEXT,
        validators=[MinLengthValidator(SHORTEST_TEXT), MaxLengthValidator(LONGEST_TEXT)],
    )
    language = models.CharField(_("language"), max_length=16, choices=LANGUAGES, default="en")
    question_count = models.PositiveSmallIntegerField(
        _("questions"),
        default=6,
        validators=[MinValueValidator(LEAST_QUESTIONS), MaxValueValidator(MOST_QUESTIONS)],
    )
    status = models.CharField(_("status"), max_length=10, choices=Status.choices, default=Status.WAITING)
    reason = models.CharField(_("reason"), max_length=40, blank=True, default="")
    left_out = models.JSONField(default=list)
    interview = models.ForeignKey(
        Interview,
        null=True,
        on_delete=models.CASCADE,
        related_name="job_descriptions",
        verbose_name=_("interview"),
    )
    model = models.CharField(_("model"), max_length=200, blank=True, default="")
    prompt_version = models.CharField(_("version of the prompt"), max_length=40, blank=True, default="")
    sent = models.JSONField(_("sent"), default=dict)
    received = models.TextField(_("received"), blank=True, default="")
    input_tokens = models.PositiveIntegerField(null=True)
    output_tokens = models.PositiveIntegerField(null=True)
    sent_at = models.DateTimeField(_("sent at"), null=True)
    took_ms = models.PositiveIntegerField(_("took (ms)"), null=True)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+"
    )
    created_at = models.DateTimeField(_("created"), default=timezone.now)

    class Meta:
        ordering = ["-created_at"]
        verbose_name = _("job description")
        verbose_name_plural = _("job descriptions")
        constraints = [
            models.UniqueConstraint(
                fields=["organisation"],
                condition=models.Q(status__in=["waiting", "sent"]),
                name="one_job_description_an_organisation",
            ),
            # A model of one's own answers few requests at a time, and candidates' follow-ups cannot wait.
            models.UniqueConstraint(
                fields=["status"], condition=models.Q(status="sent"), name="one_job_description_at_a_time"
            ),
        ]

    def __str__(self) -> str:
        first_line = self.text.strip().partition("\n")[0].strip()
        return first_line if len(first_line) <= 80 else f"{first_line[:79]}…"

    @property
    def reason_in_words(self) -> str:
        """Why there is no draft; "" where there is one, or will be."""
        return str(REASONS.get(self.reason, ""))

    @property
    def left_out_in_words(self) -> list[tuple[str, str]]:
        """The parts of the answer that were not used, each with the reason."""
        return [(text, str(REASONS.get(reason, ""))) for text, reason in self.left_out]
