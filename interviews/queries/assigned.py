"""Which rows belong to which candidate: for reviewers who see what is assigned to them, and for the audit.

`accounts.access.scoped` obeys this in organisations whose reviewers see only what they are assigned to. A
test refuses a table of candidates that is missing here.
"""

from collections.abc import Callable
from typing import Final

from django.db.models import F, Model, Q, QuerySet
from django.db.models.functions import Coalesce

from accounts import access
from accounts.audit import subjects
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
    Interview,
    Invitation,
    InvitationBatch,
    LegalHold,
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


OF_NO_ONE: Final[frozenset[type[Model]]] = frozenset({Erasure, GroupDeclaration, InvitationBatch, LegalHold})
"""Rows that are about candidates and belong to none who could be assigned."""
PARAMETERS: Final[dict[type[Model], tuple[str, ...]]] = {
    Answer: ("answer_id",),
    Session: ("session_id",),
    Invitation: ("invitation_id", "candidate_id"),
    Erasure: ("erasure_id",),
    InvitationBatch: ("batch_id",),
    LegalHold: ("hold_id",),
    Mention: ("mention_id",),
}
"""What addresses call the id of a row; of several in one address the first counts."""


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


def declare_subjects() -> None:
    """Tell the audit which candidate a row is about. Called once, when the app is ready."""
    for model in (*PARAMETERS, *(TO_SESSION.keys() - PARAMETERS.keys())):
        if model in OF_NO_ONE:
            subjects.declare(model, organisation="interview__organisation_id", parameters=PARAMETERS[model])
            continue
        way = _to_invitation(model)
        subjects.declare(
            model,
            candidate=Coalesce(F(f"{way}set_aside_of_id"), F(f"{way}pk")),
            organisation=f"{way}interview__organisation_id",
            parameters=PARAMETERS.get(model, ()),
        )
    subjects.declare(
        Interview, organisation="organisation_id", parameters=["interview_id"], is_personal=False
    )


def _to_invitation(model: type[Model]) -> str:
    """Return the beginning of lookups from a row to its invitation, as "session__invitation__"."""
    if model is Invitation:
        return ""
    path = TO_SESSION[model].removesuffix("pk")
    way = path.removesuffix("invitation__session") if path.endswith("invitation__session") else f"{path}__"
    return f"{way.removeprefix('__')}invitation__"
