from collections.abc import Iterable, Sequence
from typing import Any

from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from interviews.models.bank import BankQuestion
from interviews.models.interview import Interview

MOST_FOLLOW_UPS = 3
LONGEST_TEXT = 2000


def check_script(texts: Sequence[str]) -> None:
    """Refuse scripted follow-ups that no candidate could be asked. Raises ValidationError."""
    if len(texts) > MOST_FOLLOW_UPS:
        raise ValidationError(gettext("At most %d follow-up questions.") % MOST_FOLLOW_UPS)
    if any(len(text) > LONGEST_TEXT for text in texts):
        raise ValidationError(gettext("A follow-up question has at most %d characters.") % LONGEST_TEXT)
    if not all(text.strip() for text in texts):
        raise ValidationError(gettext("A follow-up question has no text."))


class Question(models.Model):
    """One question of an interview, in order.

    scripted_follow_ups: asked word for word after the answer, one for each follow-up that the language model
    does not ask.
    """

    interview = models.ForeignKey(Interview, on_delete=models.CASCADE, related_name="questions")
    position = models.PositiveSmallIntegerField(_("order"), default=0, db_index=True)
    text = models.TextField(_("question"), max_length=LONGEST_TEXT)
    think_seconds = models.PositiveSmallIntegerField(
        _("think time (s)"), default=30, validators=[MaxValueValidator(600)]
    )
    answer_limit_seconds = models.PositiveSmallIntegerField(
        _("answer limit (s)"), default=120, validators=[MinValueValidator(5), MaxValueValidator(1800)]
    )
    retakes = models.PositiveSmallIntegerField(_("retakes"), default=0, validators=[MaxValueValidator(10)])
    follow_ups = models.PositiveSmallIntegerField(
        _("follow-ups"), default=0, db_default=0, validators=[MaxValueValidator(MOST_FOLLOW_UPS)]
    )
    scripted_follow_ups = models.JSONField(_("scripted follow-ups"), default=list, db_default=[], blank=True)
    source = models.ForeignKey(
        BankQuestion,
        null=True,
        on_delete=models.SET_NULL,
        related_name="copies",
        editable=False,
        help_text=_("The question of the bank that it is a copy of, or that was made of it."),
    )

    class Meta:
        verbose_name = _("question")
        verbose_name_plural = _("questions")
        ordering = ["position", "id"]

    def __str__(self) -> str:
        return self.text[:80]


def expected_minutes(questions: Iterable[Any]) -> int:
    """Return an upper bound of the length: 3 min of checks, 10 s to ask each question, and the limits.

    A follow-up may take as long as its question.
    """
    seconds = sum(
        (1 + most_follow_ups(q)) * (q.think_seconds + q.answer_limit_seconds + 10) for q in questions
    )
    return 3 + -(-seconds // 60)


def most_follow_ups(question: Any) -> int:
    """Return how many follow-ups a candidate may be asked: of the model, and of the script in its place."""
    return max(question.follow_ups, len(question.scripted_follow_ups))
