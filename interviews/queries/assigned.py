"""Which rows belong to candidates that are assigned to a reviewer.

`accounts.access.scoped` obeys this in organisations whose reviewers see only what they are assigned to. A
test refuses a table of candidates that is missing here.
"""

from collections.abc import Callable
from typing import Final

from django.db.models import Model, Q, QuerySet

from accounts import access
from accounts.models import User
from interviews.models import (
    Accommodation,
    Answer,
    Assignment,
    Correction,
    Decision,
    DraftEvaluation,
    DraftRequest,
    Erasure,
    Exchange,
    GroupDeclaration,
    Invitation,
    InvitationBatch,
    Mention,
    Message,
    Note,
    Observation,
    Scorecard,
    SearchEntry,
    Session,
    Submission,
    Suggestion,
)
from voice.models import Recording, Transcript, TranscriptVersion

TO_SESSION: Final[dict[type[Model], str]] = {
    Session: "pk",
    Invitation: "session",
    Answer: "session",
    Accommodation: "invitation__session",
    Message: "invitation__session",
    Observation: "session",
    Correction: "answer__session",
    Exchange: "answer__session",
    DraftEvaluation: "session",
    DraftRequest: "draft__session",
    Suggestion: "draft__session",
    SearchEntry: "answer__session",
    Assignment: "session",
    Scorecard: "session",
    Submission: "scorecard__session",
    Decision: "session",
    Note: "session",
    Mention: "note__session",
    Recording: "answer__session",
    Transcript: "recording__answer__session",
    TranscriptVersion: "recording__answer__session",
}
"""The path from a row to its candidate's session."""


OF_NO_ONE: Final[frozenset[type[Model]]] = frozenset({Erasure, GroupDeclaration, InvitationBatch})
"""Rows that are about candidates and belong to none who could be assigned."""


def sessions_of(user: User) -> QuerySet:
    """Return the ids of the sessions that are assigned to a reviewer."""
    return Assignment.objects.filter(reviewer=user).values("session")


def _along(path: str) -> Callable[[User], Q]:
    return lambda user: Q(**{f"{path}__in": sessions_of(user)})


def limit_access() -> None:
    """Tell `accounts.access` which rows are assigned to whom. Called once, when the app is ready."""
    for model, path in TO_SESSION.items():
        access.limit_to_assigned(model, _along(path))
    for model in OF_NO_ONE:
        access.limit_to_assigned(model, lambda user: Q(pk__in=[]))
