"""What is held about a candidate, in numbers."""

from dataclasses import dataclass
from datetime import datetime

from django.db.models import Count, Q, Sum

from interviews.models import (
    Answer,
    Correction,
    Decision,
    Invitation,
    Note,
    Observation,
    Session,
    Submission,
    Suggestion,
)
from interviews.queries import groups
from interviews.queries.moments import clock
from voice.models import Recording
from voice.types import BYTES_A_SECOND


@dataclass(frozen=True, slots=True)
class Holdings:
    """What an erasure takes away. recorded_s: seconds of audio in all recordings that are complete.

    of_other_system: the id by which another system knows the candidate, and the texts that it keeps here.
    correction_count: what the candidate said was heard wrongly. fact_count: what the platform noticed.
    judgement_count: scores, decisions and notes about the candidate. suggestion_count: levels that a language
    model suggests.
    """

    candidate_name: str
    candidate_email: str
    of_other_system: tuple[str, ...]
    invited_at: datetime
    consented_at: datetime | None
    recording_count: int
    recorded_s: float
    transcript_count: int
    typed_count: int
    correction_count: int
    fact_count: int
    judgement_count: int
    suggestion_count: int
    has_accommodation: bool
    may_have_named_groups: bool
    """Whether any were named is told to no one: recruiters can open this page, for they have the link."""

    @property
    def length(self) -> str:
        """Minutes and seconds of audio, as 12:07."""
        return clock(self.recorded_s)


def of(invitation: Invitation) -> Holdings:
    """Return what is held about the candidate of an invitation, with attempts that were set aside."""
    session = Session.objects.filter(invitation=invitation).first()
    kept = ~Q(recording__status=Recording.Status.DISCARDED)
    attempts = Session.objects.of_candidate(invitation.pk)
    counts = Answer.objects.filter(session__in=attempts).aggregate(
        recordings=Count("recording", filter=kept),
        byte_count=Sum("recording__byte_count", filter=kept),
        transcripts=Count("recording__transcript"),
        typed=Count("pk", filter=~Q(typed_text="")),
    )
    return Holdings(
        candidate_name=invitation.candidate_name,
        candidate_email=invitation.candidate_email,
        of_other_system=_of_other_system(invitation),
        invited_at=invitation.created_at,
        consented_at=session.consented_at if session else None,
        recording_count=counts["recordings"],
        recorded_s=(counts["byte_count"] or 0) / BYTES_A_SECOND,
        transcript_count=counts["transcripts"],
        typed_count=counts["typed"],
        correction_count=(
            Correction.objects.filter(answer__session__in=attempts, is_by_candidate=True).count()
            + Answer.objects.filter(session__in=attempts, flagged_at__isnull=False).count()
        ),
        fact_count=Observation.objects.filter(session__in=attempts).count(),
        judgement_count=(
            Submission.objects.filter(scorecard__session__in=attempts).count()
            + Decision.objects.filter(session__in=attempts).count()
            + Note.objects.filter(session__in=attempts).count()
        ),
        suggestion_count=Suggestion.objects.filter(draft__session__in=attempts, level__isnull=False).count(),
        has_accommodation=invitation.accommodations.exists(),
        may_have_named_groups=session is not None and groups.may_be_kept(invitation, session),
    )


def _of_other_system(invitation: Invitation) -> tuple[str, ...]:
    texts = (f"{name}: {text}" for name, text in invitation.metadata.items())
    return (*filter(None, [invitation.external_id]), *texts)
