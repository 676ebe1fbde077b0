"""What the demo's commands share: interviews with their questions, made once."""

from collections.abc import Sequence
from dataclasses import dataclass

from django.utils import timezone

from accounts.models import Organisation, User
from interviews.actions import interviews, versions
from interviews.models import Criterion, Interview, Question
from interviews.texts import consent

REVIEWERS = ("reviewer", "second-reviewer")
"""Usernames of those who score the demo's candidates."""


@dataclass(frozen=True, slots=True)
class DemoQuestion:
    text: str
    think_seconds: int = 10
    answer_limit_seconds: int = 90
    retakes: int = 0


@dataclass(frozen=True, slots=True)
class DemoCriterion:
    name: str
    meaning: str
    levels: list[str]


@dataclass(frozen=True, slots=True)
class DemoInterview:
    title: str
    job_title: str
    language: str
    questions: Sequence[DemoQuestion]
    rubric: Sequence[DemoCriterion] = ()


def interview_for(organisation: Organisation, demo: DemoInterview, by: User) -> Interview:
    """Get or make the interview with this title, and request its speech. Keep edits of an existing one."""
    interview, is_new = Interview.objects.get_or_create(
        organisation=organisation,
        title=demo.title,
        defaults={
            "job_title": demo.job_title,
            "language": demo.language,
            "consent_text": consent.default_text(demo.language),
            "created_by": by,
        },
    )
    if is_new:
        Question.objects.bulk_create(
            Question(
                interview=interview,
                position=position,
                text=question.text,
                think_seconds=question.think_seconds,
                answer_limit_seconds=question.answer_limit_seconds,
                retakes=question.retakes,
            )
            for position, question in enumerate(demo.questions, start=1)
        )
        Criterion.objects.bulk_create(
            Criterion(
                interview=interview,
                position=position,
                name=criterion.name,
                meaning=criterion.meaning,
                levels=criterion.levels,
            )
            for position, criterion in enumerate(demo.rubric, start=1)
        )
        versions.publish(interview=interview, by=by, now=timezone.now())
    else:
        interviews.request_speech(interview=interview)
    return interview
