from collections.abc import Sequence
from typing import Any, NamedTuple

from django.conf import settings
from django.db import models
from django.utils import timezone
from django.utils.functional import cached_property
from django.utils.translation import gettext_lazy as _

from interviews.models.definition import Definition
from interviews.models.interview import Interview
from interviews.models.rubric import RubricCriterion
from interviews.models.vocabulary import Vocabulary


class AskedQuestion(NamedTuple):
    """A question as a version keeps it."""

    id: int
    text: str
    think_seconds: int
    answer_limit_seconds: int
    retakes: int
    follow_ups: int = 0  # versions of before have none, and no script
    scripted_follow_ups: Sequence[str] = ()


class InterviewVersion(Definition):
    """An interview as it was published. Nothing in it changes any more, but who speaks for a missing voice.

    number: 1, 2, 3 …; null for the draft of somebody who tries it as a candidate.
    questions: in order, as `AskedQuestion` has them.
    rubric: the criteria in order, as `RubricCriterion` has them.
    """

    interview = models.ForeignKey(Interview, on_delete=models.CASCADE, related_name="versions")
    number = models.PositiveIntegerField(_("version"), null=True)
    questions = models.JSONField(default=list)
    rubric = models.JSONField(default=list, db_default=[])
    published_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, verbose_name=_("published by")
    )
    published_at = models.DateTimeField(_("published"), default=timezone.now)

    class Meta:
        ordering = ["interview", "-number"]
        constraints = [
            models.UniqueConstraint(fields=["interview", "number"], name="one_version_a_number"),
        ]

    def __str__(self) -> str:
        return f"{self.title}, {self.number}" if self.number else self.title

    @property
    def asked(self) -> list[AskedQuestion]:
        """The questions, in order."""
        return [AskedQuestion(**question) for question in self.questions]

    @property
    def criteria(self) -> list[RubricCriterion]:
        """The rubric, in order; empty in versions of before there were rubrics."""
        return [RubricCriterion(**criterion) for criterion in self.rubric]

    @property
    def owner(self) -> str:
        """See `Interview.owner`."""
        return self.interview.owner

    @cached_property
    def shared_vocabulary(self) -> str:
        """See `Interview.shared_vocabulary`."""
        return Vocabulary.text_of(self.interview.organisation_id, self.language)


def frozen(question: Any) -> dict[str, Any]:
    """Return a question as a version keeps it, for JSON."""
    kept = {name: getattr(question, name) for name in AskedQuestion._fields}
    return kept | {"scripted_follow_ups": list(question.scripted_follow_ups)}
