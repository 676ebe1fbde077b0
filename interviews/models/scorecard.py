import uuid
from typing import Any

from django.conf import settings
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from interviews.models.session import Session


class Assignment(models.Model):
    """A reviewer is to score a candidate's interview."""

    session = models.ForeignKey(Session, on_delete=models.CASCADE, related_name="assignments")
    reviewer = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="assignments"
    )
    assigned_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+"
    )
    assigned_at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ["assigned_at", "id"]
        constraints = [
            models.UniqueConstraint(fields=["session", "reviewer"], name="one_assignment_a_reviewer")
        ]

    def __str__(self) -> str:
        return f"{self.reviewer} – {self.session_id}"


class Scorecard(models.Model):
    """What one reviewer thinks of one session. It belongs to the reviewer until it is submitted.

    draft: {criterion's id: [level, note]}, as in `Submission.scores`; the reviewer alone sees it.
    others_seen_at: since then the reviewer sees the scores of others. judgement_seen_at: when others'
    decision or notes were shown before that. What is submitted after one of them is not blind.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    session = models.ForeignKey(Session, on_delete=models.CASCADE, related_name="scorecards")
    reviewer = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="scorecards"
    )
    draft = models.JSONField(default=dict)
    others_seen_at = models.DateTimeField(null=True)
    judgement_seen_at = models.DateTimeField(null=True)
    begun_at = models.DateTimeField(default=timezone.now)
    kept_at = models.DateTimeField(default=timezone.now, help_text=_("When the draft was kept."))

    class Meta:
        ordering = ["begun_at"]
        constraints = [
            models.UniqueConstraint(fields=["session", "reviewer"], name="one_scorecard_a_reviewer")
        ]

    def __str__(self) -> str:
        return f"{self.reviewer} – {self.session_id}"

    @property
    def is_blind(self) -> bool:
        """Whether nothing of others' judgement was shown to the reviewer."""
        return self.others_seen_at is None and self.judgement_seen_at is None


class Submission(models.Model):
    """A scorecard as it was submitted. It never changes: a later one stands beside it.

    scores: {criterion's id: [level, note]}; level 0 is "the answers give no basis".
    is_blind: the reviewer had not seen the judgement of others: scores, a decision or notes.
    """

    NO_BASIS = 0

    scorecard = models.ForeignKey(Scorecard, on_delete=models.CASCADE, related_name="submissions")
    scores = models.JSONField(default=dict)
    is_blind = models.BooleanField()
    submitted_at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ["submitted_at", "id"]

    def __str__(self) -> str:
        return f"{self.scorecard_id}, {self.submitted_at:%Y-%m-%d}"

    def level(self, criterion_id: Any) -> int | None:
        """The level of a criterion; None if there is none or the answers gave no basis."""
        level, _note = self.scores.get(str(criterion_id), (None, ""))
        return level or None
