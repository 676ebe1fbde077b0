"""Candidates side by side."""

import pytest

from interviews.queries import comparison
from tests import factories

pytestmark = pytest.mark.django_db


def test_follow_ups_stand_with_the_answer_they_are_about():
    interview = factories.InterviewFactory(questions=1)
    sessions = [factories.SessionFactory(invitation__interview=interview, finished=True) for _ in range(2)]
    for session in sessions:
        factories.AnswerFactory(session=session, position=1, question_text="Why?", accepted=True)
    asked = factories.AnswerFactory(
        session=sessions[1], kind="follow_up", position=1, follow_up=1, accepted=True, transcript="Because."
    )

    [row] = comparison.of(sessions)

    assert [[each.answer for each in cell.follow_ups] for cell in row.cells] == [[], [asked]]
    assert row.cells[1].follow_ups[0].text == "Because."
    assert row.count == 3
