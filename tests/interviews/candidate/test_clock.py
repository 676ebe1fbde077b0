import hypothesis
import pytest
from hypothesis import strategies as st

from interviews.candidate.clock import TOLERANCE_S, AnswerClock, allowed_s

NOW = 1000.0


def answer(status="asked", **fields):
    fields = {"kind": "question", "think_s": 20, "speech_s": 5.0, "limit_s": 60, "asked_at": "a", **fields}
    return {"id": "q1", "status": status, **fields}


def clock(*answers, current="q1"):
    clock = AnswerClock()
    clock.follow({"current_answer": current}, answers, now_s=NOW)
    return clock


def after(seconds):
    return NOW + seconds + TOLERANCE_S


@pytest.mark.parametrize(
    ("state", "seconds"),
    [
        (answer(), 25),
        (answer(speech_s=None), 20),
        (answer(think_s=0), 5),
        (answer("recording"), 60),
    ],
)
def test_time_is_over_after_what_is_allowed_and_a_tolerance(state, seconds):
    running = clock(state)
    assert running.over(after(seconds - 0.1)) is None
    assert running.over(after(seconds)) == "q1"
    assert running.over(after(seconds)) is None  # once
    assert running.over(after(2 * seconds + TOLERANCE_S)) == "q1"


@pytest.mark.parametrize(
    "state",
    [
        answer("pending"),
        answer("recorded"),
        answer("accepted"),
        answer(kind="practice"),
        answer(think_s=0, speech_s=None),
    ],
)
def test_time_is_never_over_where_the_candidate_decides(state):
    assert clock(state).over(after(10_000)) is None


@pytest.mark.parametrize("is_written", [False, True])
def test_wait_for_a_follow_up_is_over_without_tolerance(is_written, settings):
    settings.FOLLOW_UP_WAIT_S = 3
    running = clock(answer())
    if is_written:
        running.write("q1")
    session = {"current_answer": "q1", "is_follow_up_awaited": True}
    running.follow(session, [answer("accepted")], now_s=NOW)

    assert running.over(NOW + 2.9) is None
    assert running.over(NOW + 3) == "q1"


def test_time_begins_anew_with_each_phase_and_not_with_each_event():
    running = clock(answer())
    running.follow({"current_answer": "q1"}, [answer(speech_s=6.0)], now_s=after(0))
    assert running.over(after(26)) == "q1"
    running.follow({"current_answer": "q1"}, [answer("recording")], now_s=after(0))
    assert running.over(after(60)) is None
    running.follow({"current_answer": "q1"}, [answer(asked_at="b")], now_s=after(100))
    assert running.over(after(101)) is None


def test_time_of_a_question_that_was_left_does_not_run():
    running = clock(answer())
    running.follow({"current_answer": "q2"}, [], now_s=NOW)
    assert running.over(after(10_000)) is None


def test_event_of_another_answer_changes_nothing():
    running = clock(answer())
    running.follow({"current_answer": "q1"}, [{**answer("accepted"), "id": "q0"}], now_s=NOW)
    assert running.over(after(25)) == "q1"


def test_writing_takes_as_long_as_it_takes():
    running = clock(answer())
    running.write("q1")
    assert running.over(after(10_000)) is None


def test_clock_runs_again_once_an_answer_is_spoken_after_all():
    running = clock(answer())
    running.write("q1")
    running.follow({"current_answer": "q1"}, [answer("recording")], now_s=NOW)
    assert running.over(after(60)) == "q1"


def test_recording_may_be_left_for_writing():
    running = clock(answer("recording"))
    running.write("q1")
    running.follow({"current_answer": "q1"}, [answer("recording")], now_s=NOW)
    assert running.over(after(10_000)) is None


def test_time_that_earlier_connections_had_to_think_is_counted():
    first = clock(answer())
    assert (first.thinking, first.thought_s(after(-20))) == ("q1:a", 10)
    second = AnswerClock()
    second.spent = {first.thinking: 10}
    second.follow({"current_answer": "q1"}, [answer()], now_s=NOW)
    assert second.left_s(NOW) == 15 + TOLERANCE_S
    assert second.thought_s(after(-25)) == 5
    assert second.over(after(15)) == "q1"


def test_time_of_an_answer_and_of_a_question_asked_again_begins_anew():
    second = AnswerClock()
    second.spent = {"q1:a": 10}
    second.follow({"current_answer": "q1"}, [answer("recording")], now_s=NOW)
    assert (second.thinking, second.thought_s(after(0)), second.left_s(NOW)) == ("", 0, 60 + TOLERANCE_S)
    second.follow({"current_answer": "q1"}, [answer(asked_at="b")], now_s=NOW)
    assert second.left_s(NOW) == 25 + TOLERANCE_S


def test_clock_needs_no_look_where_the_candidate_decides():
    assert AnswerClock().left_s(NOW) is None
    assert clock(answer(kind="practice")).left_s(NOW) is None
    running = clock(answer())
    running.write("q1")
    assert running.left_s(NOW) is None


GIVEN = st.fixed_dictionaries(
    {"extra_percent": st.integers(0, 300), "is_untimed": st.booleans(), "is_written": st.booleans()}
)
TIMED = st.builds(
    answer,
    st.sampled_from(["asked", "recording"]),
    think_s=st.integers(0, 600),
    limit_s=st.integers(5, 1800),
    speech_s=st.none() | st.floats(0, 60),
)


def accommodated(given, *answers):
    clock = AnswerClock()
    clock.follow({"current_answer": "q1", "accommodation": given}, answers, now_s=NOW)
    return clock


@hypothesis.given(TIMED, GIVEN)
def test_accommodation_never_makes_a_time_shorter(state, given):
    usual, extended = allowed_s(state), allowed_s(state, given)
    assert extended is None or (usual is not None and extended >= usual)


@hypothesis.given(TIMED, st.integers(0, 300))
def test_extra_time_is_given_to_thinking_and_speaking_and_not_to_the_reading_aloud(state, percent):
    extended = allowed_s(state, {"extra_percent": percent})
    own = state["limit_s"] if state["status"] == "recording" else state["think_s"]
    aloud = 0.0 if state["status"] == "recording" else state["speech_s"] or 0.0
    expected = aloud + own * (100 + percent) / 100
    assert (extended or 0.0) == pytest.approx(expected)
    if extended:
        running = accommodated({"extra_percent": percent}, state)
        assert running.over(after(extended - 0.1)) is None
        assert running.over(after(extended + 0.001)) == "q1"


@hypothesis.given(TIMED, GIVEN)
def test_time_is_never_over_without_time_limits(state, given):
    assert accommodated({**given, "is_untimed": True}, state).over(after(1e6)) is None


def test_written_answer_has_no_time_to_think_that_ends():
    assert accommodated({"is_written": True}, answer()).over(after(1e6)) is None


@pytest.mark.parametrize(("given", "seconds"), [({"extra_percent": 100}, 45), (None, 25)])
def test_time_begins_anew_when_it_is_changed_in_the_middle_so_that_no_one_is_cut_off(given, seconds):
    running = accommodated({"is_untimed": True}, answer())
    for _ in range(2):  # told again, nothing has changed
        running.follow({"current_answer": "q1", "accommodation": given}, [answer()], now_s=NOW + 500)
    assert running.over(after(500 + seconds - 1)) is None
    assert running.over(after(500 + seconds)) == "q1"
