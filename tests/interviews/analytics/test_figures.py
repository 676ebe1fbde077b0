from datetime import timedelta

import pytest
from django.utils import timezone

from interviews.actions import erasure
from interviews.models import Answer, Erasure, Invitation, Session
from interviews.queries import figures
from tests import factories
from voice.models import Transcript

pytestmark = pytest.mark.django_db


def taken(interview, *, minutes: float | None = None, **fields) -> Session:
    """A candidate's interview, finished so many minutes after consent."""
    ends = {}
    if minutes is not None:
        now = timezone.now()
        ends = {"finished": True, "finished_at": now, "consented_at": now - timedelta(minutes=minutes)}
    return factories.SessionFactory(invitation__interview=interview, **ends, **fields)


def everybody():
    return Invitation.objects.counted()


def test_funnel_counts_each_step_and_those_who_were_erased(interview):
    factories.InvitationFactory(interview=interview)
    taken(interview, status="checking")
    factories.AnswerFactory(session=taken(interview, status="abandoned"), position=1, asked=True)
    done = [taken(interview, minutes=9), taken(interview, minutes=9)]
    for session in done:
        factories.AnswerFactory(session=session, position=1, accepted=True)
    erasure.erase_candidate(invitation=done[1].invitation, by="retention", now=timezone.now())

    steps = figures.funnel(everybody(), Erasure.objects.all())

    assert steps == [("invited", 5, 1), ("begun", 4, 1), ("asked", 3, 1), ("finished", 2, 1)]


def test_practice_is_no_first_question(interview):
    factories.AnswerFactory(session=taken(interview, status="practising"), practice=True, accepted=True)
    assert figures.funnel(everybody(), Erasure.objects.none())[2] == ("asked", 0, 0)


def test_durations_are_of_those_who_finished(interview):
    for minutes in (4, 8, 12, 600):
        taken(interview, minutes=minutes)
    taken(interview, status="under_way")

    found = figures.durations(everybody())

    assert list(found.groups) == [1, 1, 1, 0, 0, 0, 0, 1]
    assert found.median == pytest.approx(10)
    assert found.slowest_tenth == pytest.approx(423.6)


def test_nobody_has_no_durations(interview):
    assert figures.durations(everybody()) == (None, None, [0] * 8)
    assert figures.trend(everybody(), days=7) == []
    assert figures.questions(everybody()) == []
    assert figures.speech(everybody()).recordings == 0


def test_questions_tell_where_interviews_ended(interview):
    for status in ("finished", "abandoned", "under_way"):
        session = taken(interview, minutes=5) if status == "finished" else taken(interview, status=status)
        factories.AnswerFactory(session=session, position=1, accepted=True, question_text="Who are you?")
        kwargs = {"accepted": True} if status == "finished" else {"asked": True}
        factories.AnswerFactory(session=session, position=2, question_text=f"And {status}?", **kwargs)
    factories.AnswerFactory(session=session, position=3, status="accepted", typed_text="a", is_silent=True)

    first, second, third = figures.questions(everybody())

    assert (first.text, first.asked, first.answered, first.stopped) == ("Who are you?", 3, 3, 0)
    assert (second.text, second.asked, second.answered, second.stopped) == ("", 3, 1, 1)
    assert (first.median_s, first.longest_tenth_s) == (2.0, 2.0)
    assert (third.typed, third.silent, third.median_s) == (1, 1, None)


def test_questions_tell_how_many_candidates_had_them_played_again(interview):
    for often in (0, 1, 3):
        session = taken(interview, minutes=5)
        factories.AnswerFactory(session=session, position=1, accepted=True, heard_again=often)
        factories.AnswerFactory(
            session=session, position=1, accepted=True, kind="follow_up", follow_up=1, heard_again=1
        )

    [asked] = figures.questions(everybody())

    assert asked.heard_again == 2
    assert figures.behind(everybody(), "heard_again", 1).count() == 2
    assert figures.behind(everybody(), "heard_again", 2).count() == 0


def test_follow_ups_are_no_questions_but_interviews_end_at_them(interview):
    session = taken(interview, status="abandoned")
    factories.AnswerFactory(session=session, position=1, question_text="Who are you?", accepted=True)
    follow_up = {"session": session, "position": 1, "kind": "follow_up"}
    factories.AnswerFactory(**follow_up, follow_up=1, accepted=True)
    factories.AnswerFactory(**follow_up, follow_up=2, asked=True)

    [asked] = figures.questions(everybody())

    assert (asked.text, asked.asked, asked.answered, asked.stopped) == ("Who are you?", 1, 1, 1)
    assert list(figures.behind(everybody(), "stopped", 1)) == [session.invitation]
    assert figures.speech(everybody()).recordings == 2


def test_speech_tells_waits_and_failures(interview):
    session = taken(interview, minutes=5)
    now = timezone.now()
    for position, (status, seconds) in enumerate(
        [("done", 1), ("done", 3), ("failed", 0), ("waiting", 0)], 1
    ):
        recording = factories.RecordingFactory(sealed=True, sealed_at=now - timedelta(seconds=seconds))
        done = {"finished_at": now, "engine_ms": 500 * seconds} if status == "done" else {}
        factories.TranscriptFactory(recording=recording, status=status, **done)
        factories.AnswerFactory(session=session, position=position, status="accepted", recording=recording)
    discarded = factories.RecordingFactory(sealed=True, status="discarded")
    factories.AnswerFactory(session=session, position=9, status="accepted", recording=discarded)

    found = figures.speech(everybody())

    assert (found.recordings, found.stored, found.done, found.failed, found.waiting) == (4, 0, 2, 1, 1)
    assert found.text_median_s == pytest.approx(2.0)
    assert found.engine_median_s == pytest.approx(1.0)


@pytest.mark.parametrize(("days", "begins"), [(31, "2026-03-04"), (32, "2026-03-02")])
def test_trend_is_by_days_or_by_weeks(interview, days, begins):
    wednesday = timezone.make_aware(timezone.datetime(2026, 3, 4, 12))
    factories.InvitationFactory(interview=interview, created_at=wednesday)
    taken(interview, minutes=5, invitation__created_at=wednesday)
    [period] = figures.trend(everybody(), days=days)
    assert (str(period.begins), period.invited, period.finished) == (begins, 2, 1)


def test_candidates_behind_each_figure_are_as_many_as_it_says(interview):
    factories.InvitationFactory(interview=interview)
    left = taken(interview, status="abandoned")
    factories.AnswerFactory(session=left, position=1, asked=True)
    done = taken(interview, minutes=9)
    answer = factories.AnswerFactory(session=done, position=1, accepted=True)
    Transcript.objects.filter(recording=answer.recording).update(status="failed")

    for step in figures.funnel(everybody(), Erasure.objects.none()):
        assert figures.behind(everybody(), step.name, 0).count() == step.candidates, step.name
    assert list(figures.behind(everybody(), "stopped", 1)) == [left.invitation]
    assert list(figures.behind(everybody(), "took", 1)) == [done.invitation]
    assert list(figures.behind(everybody(), "failed", 0)) == [done.invitation]
    assert list(figures.behind(everybody(), "stopped", 2)) == []


@pytest.mark.parametrize(("name", "number"), [("", 0), ("token", 0), ("took", 99), ("invited__token", 0)])
def test_no_other_name_is_a_figure(name, number):
    assert figures.behind(everybody(), name, number) is None


def test_typed_answer_has_no_length(interview):
    factories.AnswerFactory(
        session=taken(interview, minutes=1), position=1, status=Answer.Status.ACCEPTED, typed_text="x"
    )
    assert figures.questions(everybody())[0].median_s is None
