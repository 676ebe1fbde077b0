"""The JSON form of a candidate's interview. A program may rely on it: what is in a version of it stays."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any, Final, Literal
from uuid import UUID

from django.utils import timezone
from ninja import Field, Schema

from interviews.exports import judgement_schema
from interviews.exports.judgement_schema import ExportedEvaluation
from interviews.models import Correction
from interviews.queries.answers import AnswerRecord
from interviews.queries.integrity import FactKind
from interviews.queries.records import Record
from interviews.queries.reliability import DOUBTFUL_BELOW, RELIABLE_FROM, is_reliable

FORMAT: Final = "interview-platform/candidate-interview"
FORMAT_VERSION: Final = 1
"""Grows when a field is removed or gets another meaning. A new field does not count."""


class ExportedCandidate(Schema):
    name: str
    email: str = Field(description="Empty if it is not known.")


class ExportedInterview(Schema):
    id: UUID
    organisation: str
    title: str
    job_title: str
    language: str
    version: int | None = Field(description="The published version that the candidate agreed to.")
    published_at: datetime


class ExportedInvitation(Schema):
    id: UUID
    status: str
    invited_at: datetime
    expires_at: datetime


class ExportedConsent(Schema):
    text: str = Field(description="As it was agreed to.")
    given_at: datetime


class ExportedSession(Schema):
    id: UUID
    status: Literal["checking", "practising", "under_way", "finished", "abandoned"]
    last_seen_at: datetime
    finished_at: datetime | None


class ExportedWord(Schema):
    word: str
    start: float = Field(description="Seconds from the first sample of the recording.")
    end: float
    confidence: float = Field(description="0 to 1.")
    is_doubtful: bool = Field(description=f"Whether the confidence is below {DOUBTFUL_BELOW}.")


class ExportedCorrection(Schema):
    version: int = Field(description="Of the transcript whose words these are; in force with no other one.")
    first_word: int = Field(description="The first recognised word it stands for, counted from 0.")
    last_word: int = Field(description="The last one.")
    recognised: str = Field(description="These words.")
    text: str | None = Field(
        description="What was said instead. Empty: nothing was said. Null: what was recognised is right."
    )
    is_in_force: bool = Field(
        description="False if another overlaps it that was made later, or by a reviewer where this is the "
        "candidate's; or if other words stand there now, or another version is used."
    )
    is_by_candidate: bool = Field(description="Whether the candidate made it, after the interview.")
    made_by: str = Field(description="A user name; empty if the account is gone, or the candidate made it.")
    made_at: datetime


class ExportedTranscript(Schema):
    version: int = Field(description="1: what was recognised first; more if it was transcribed again.")
    status: Literal["waiting", "done", "failed", "no_engine"]
    text: str = Field(description="As it was recognised.")
    corrected_text: str = Field(description="With the corrections in force; the same as `text` without any.")
    is_reliable: bool = Field(
        description=f"Whether the confidence is {RELIABLE_FROM} or more, and the candidate does not say that "
        "it was heard wrongly and did not correct another version. If not, listen to the recording."
    )
    corrected_elsewhere: int | None = Field(
        description="The version that the candidate corrected, where another one is used; null: none."
    )
    language: str
    confidence: float | None = Field(description="0 to 1, mean over the words.")
    engine: str
    model: str
    words: list[ExportedWord] = Field(
        description="As they were recognised. Empty if the engine tells no times."
    )
    corrections: list[ExportedCorrection] = Field(description="All of them, the newest first.")


class ExportedRecording(Schema):
    status: Literal["open", "sealed", "stored"]
    duration_s: float | None
    sha256: str = Field(description="Of the samples, as s16le at 16 000 Hz, mono; empty until it is stored.")


class ExportedAnswer(Schema):
    id: UUID
    position: int
    follow_up: int = Field(description="1, 2, 3 …: a follow-up to the question at this position; 0: itself.")
    is_scripted: bool = Field(description="A follow-up of the recruiter's, not of the language model.")
    question: str = Field(description="As it was asked.")
    status: Literal["pending", "asked", "recording", "recorded", "accepted"]
    asked_at: datetime | None
    began_at: datetime | None
    completed_at: datetime | None
    typed_text: str = Field(description="Empty if it was not typed.")
    flagged_at: datetime | None = Field(
        description="Since when the candidate says that it was heard wrongly; null: does not."
    )
    recording: ExportedRecording | None
    transcript: ExportedTranscript | None


class ExportedFact(Schema):
    position: int | None = Field(description="Of the question; null for a fact about the whole interview.")
    follow_up: int = Field(description="As in answers.")
    kind: FactKind = Field(
        description="asked_again: nothing was heard until the limit, so it was asked once more; silent: "
        "nothing was heard the second time too; typed: the answer was written; reconnected: the connection "
        "was lost and came back; opened_again: the page was loaded again, or in another tab or device; "
        "left_page: another window or tab was shown, or the screen was locked; pasted: text was pasted into "
        "the written answer; second_screen: the browser told of one."
    )
    at: datetime | None
    seconds: int | None = Field(description="Of left_page: how long; null if it was not seen coming back.")
    characters: int | None = Field(description="Of pasted: how many.")


class CandidateInterview(Schema):
    """A candidate's interview, complete but for the sound."""

    format: Literal["interview-platform/candidate-interview"]
    format_version: int = Field(
        description="Grows when a field is removed or gets another meaning, not for a new field."
    )
    exported_at: datetime
    time_zone: str = Field(description="Of all times; each says its offset too.")
    candidate: ExportedCandidate
    interview: ExportedInterview
    invitation: ExportedInvitation
    consent: ExportedConsent
    session: ExportedSession
    answers: list[ExportedAnswer]
    facts: list[ExportedFact] = Field(
        description="What the platform noticed, in the order of time, without a judgement."
    )
    evaluation: ExportedEvaluation | None = Field(
        description="Scores and decision, as far as the person who exports may see them. "
        "Programs need a key with `scores:read`; null without."
    )


def described(record: Record, *, now: datetime) -> CandidateInterview:
    """Return a candidate's interview in this form, with times in the time zone of the request."""
    session: Any = record.session
    version, invitation = record.version, record.invitation
    return CandidateInterview(
        format=FORMAT,
        format_version=FORMAT_VERSION,
        exported_at=timezone.localtime(now),
        time_zone=timezone.get_current_timezone_name(),
        candidate=ExportedCandidate(name=invitation.candidate_name, email=invitation.candidate_email),
        interview=_interview(version, invitation),
        invitation=ExportedInvitation(
            id=invitation.pk,
            status=invitation.status,
            invited_at=timezone.localtime(invitation.created_at),
            expires_at=timezone.localtime(invitation.expires_at),
        ),
        consent=ExportedConsent(text=session.consent_text, given_at=timezone.localtime(session.consented_at)),
        session=ExportedSession(
            id=session.pk,
            status=session.status,
            last_seen_at=timezone.localtime(session.last_seen_at),
            finished_at=_local(session.finished_at),
        ),
        answers=[_answer(each) for each in record.answers],
        facts=[
            ExportedFact(
                position=fact.answer.position if fact.answer else None,
                follow_up=fact.answer.follow_up if fact.answer else 0,
                kind=fact.kind,
                at=_local(fact.at),
                seconds=fact.seconds,
                characters=fact.characters,
            )
            for fact in record.facts
        ],
        evaluation=judgement_schema.described(record.evaluation) if record.evaluation else None,
    )


def _local(time: datetime | None) -> datetime | None:
    return None if time is None else timezone.localtime(time)


def _interview(version: Any, invitation: Any) -> ExportedInterview:
    return ExportedInterview(
        id=invitation.interview_id,
        organisation=invitation.interview.organisation.name,
        title=version.title,
        job_title=version.job_title,
        language=version.language,
        version=version.number,
        published_at=timezone.localtime(version.published_at),
    )


def _answer(each: AnswerRecord) -> ExportedAnswer:
    answer: Any = each.answer
    return ExportedAnswer(
        id=answer.pk,
        position=answer.position,
        follow_up=answer.follow_up,
        is_scripted=answer.is_scripted,
        question=answer.question_text,
        status=answer.status,
        asked_at=_local(answer.asked_at),
        began_at=_local(answer.began_at),
        completed_at=_local(answer.completed_at),
        typed_text=answer.typed_text,
        flagged_at=_local(answer.flagged_at),
        recording=_recording(each.recording) if each.recording else None,
        transcript=transcript_of(each),
    )


def _recording(recording: Any) -> ExportedRecording:
    return ExportedRecording(
        status=recording.status, duration_s=recording.duration_s, sha256=recording.sha256
    )


def transcript_of(each: AnswerRecord) -> ExportedTranscript | None:
    """Return the transcript of an answer; None without a recording that was completed."""
    transcript: Any = each.transcript
    return transcript and ExportedTranscript(
        version=transcript.version,
        status=transcript.status,
        text=transcript.text,
        corrected_text=each.text,
        is_reliable=is_reliable(transcript, is_disputed=each.is_disputed),
        corrected_elsewhere=each.corrected_elsewhere,
        language=transcript.language,
        confidence=transcript.confidence,
        engine=transcript.engine,
        model=transcript.model,
        words=list(_words(transcript)),
        corrections=[_correction(layer, is_in_force) for layer, is_in_force in each.history],
    )


def _correction(layer: Correction, is_in_force: bool) -> ExportedCorrection:
    return ExportedCorrection(
        version=layer.version,
        first_word=layer.first_word,
        last_word=layer.last_word,
        recognised=layer.recognised,
        text=layer.text,
        is_in_force=is_in_force,
        is_by_candidate=layer.is_by_candidate,
        made_by=str(layer.made_by or ""),
        made_at=timezone.localtime(layer.made_at),
    )


def _words(transcript: Any) -> Iterator[ExportedWord]:
    for word in transcript.words:
        yield ExportedWord(**word, is_doubtful=word["confidence"] < DOUBTFUL_BELOW)
