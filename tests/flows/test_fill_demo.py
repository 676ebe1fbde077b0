"""The demo's candidates answer with its own voices, through the whole system, and its team judges them."""

import pytest

from tests.faults.waiting import wait_for

pytestmark = pytest.mark.flows

ANSWERED = """
SELECT i.candidate_email, i.status, count(*) FILTER (WHERE r.status = 'stored'), max(r.byte_count) / 32000.0
FROM interviews_invitation i
JOIN interviews_session s ON s.invitation_id = i.id
JOIN interviews_answer a ON a.session_id = s.id AND a.kind = 'question'
JOIN voice_recording r ON r.id = a.recording_id
JOIN voice_transcript t ON t.recording_id = r.id AND t.status = 'done'
WHERE i.candidate_email = 'ada-0@example.com' GROUP BY i.id ORDER BY 1
"""

JUDGED = """
SELECT i.candidate_email, count(DISTINCT c.id), count(DISTINCT d.id)
FROM interviews_invitation i
JOIN interviews_session s ON s.invitation_id = i.id
JOIN interviews_scorecard c ON c.session_id = s.id
JOIN interviews_submission u ON u.scorecard_id = c.id
JOIN interviews_decision d ON d.session_id = s.id
GROUP BY i.id
"""


def test_demo_is_filled_by_candidates_who_speak_and_once_only(stack):
    assert stack.demo
    stack.manage("fill_demo", "--most", "2")
    wait_for(lambda: len(finished(stack)) == 2, lambda: seen(stack))
    for _email, status, _stored, longest_s in finished(stack):
        assert status == "finished"
        assert 1 < longest_s <= 15
    judged = stack.rows(JUDGED, [])
    assert judged == [("ada-0@example.com", 2, 1)] * 2
    stack.manage("fill_demo", "--most", "1")  # goes on with the third
    wait_for(lambda: len(finished(stack)) == 3, lambda: seen(stack))
    assert stack.rows(JUDGED, []) == judged  # the third is of an organisation without reviewers


def finished(stack) -> list[tuple]:
    """The first candidates of the interviews, whose two answers are stored and transcribed."""
    return [row for row in stack.rows(ANSWERED, []) if row[2] == 2]


def seen(stack) -> str:
    """What there is instead."""
    return f"others than {stack.rows(ANSWERED)}\n{stack.last_lines()}"
