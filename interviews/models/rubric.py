from typing import Any, NamedTuple

from django.db import models
from django.utils.translation import gettext_lazy as _

from interviews.models.interview import Interview
from interviews.models.question import Question

LEAST_LEVELS, MOST_LEVELS = 2, 5


class Criterion(models.Model):
    """One thing that an interview is to find out, with a sentence for each level of it.

    levels: what an answer of level 1, 2, 3 … is like. questions: those that are about it; none means all.
    """

    interview = models.ForeignKey(Interview, on_delete=models.CASCADE, related_name="criteria")
    position = models.PositiveSmallIntegerField(_("order"), default=0)
    name = models.CharField(_("criterion"), max_length=100)
    meaning = models.TextField(_("what it means"), max_length=1000, blank=True)
    levels = models.JSONField(_("levels"), default=list)
    questions = models.ManyToManyField(
        Question, blank=True, related_name="criteria", verbose_name=_("questions about it")
    )

    class Meta:
        ordering = ["position", "id"]
        verbose_name = _("criterion")
        verbose_name_plural = _("criteria")

    def __str__(self) -> str:
        return self.name


class RubricCriterion(NamedTuple):
    """A criterion as a version keeps it. questions: their ids."""

    id: int
    name: str
    meaning: str
    levels: list[str]
    questions: list[int]

    @property
    def anchors(self) -> list[tuple[int, str]]:
        """Each level, with its sentence."""
        return list(enumerate(self.levels, start=1))


def frozen_criterion(criterion: Criterion) -> dict[str, Any]:
    """Return a criterion as a version keeps it, for JSON."""
    asked = sorted(question.pk for question in criterion.questions.all())
    return RubricCriterion(criterion.pk, criterion.name, criterion.meaning, criterion.levels, asked)._asdict()
