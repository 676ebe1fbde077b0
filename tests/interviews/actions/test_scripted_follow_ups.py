"""Follow-ups that the recruiter wrote: asked at once without a model, and in its place where it fails."""

import pytest

from interviews.actions import answers, exchanges, interviews, sessions, versions
from interviews.brain import metrics
from interviews.models import Answer, Exchange, Session
from interviews.models.question import expected_minutes
from interviews.queries.versions import differences
from interviews.states import SessionStatus
from tests import factories
from tests.interviews import journey
from tests.interviews.actions.test_follow_ups import (
    CONSENT,
    QUESTION,
    QUESTIONS,
    WITH_FOLLOW_UP,
    current,
    is_awaited,
    jobs,
    kinds,
    let_speak,
    look_for,
    now,
    type_answer,
)
from voice.models import Speech

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("clean_redis")]

SCRIPT = ["What would you do differently?", "Who disagreed with you?"]


@pytest.fixture
def make_session():
    """Begin an interview of two questions with this script, and with so many follow-ups of the model."""

    def make(script=SCRIPT[:1], *, follow_ups=0, consent=CONSENT, retakes=0) -> Session:
        interview = factories.InterviewFactory(
            questions=2,
            questions__scripted_follow_ups=script,
            questions__follow_ups=follow_ups,
            questions__retakes=retakes,
            consent_text=consent,
            organisation__is_language_model_used=True,
        )
        session = sessions.start(invitation=factories.InvitationFactory(interview=interview), now=now())
        journey.get_under_way(session)
        return session

    return make


def asked_so_far(session) -> list[tuple[str, bool]]:
    """The follow-ups, and whether each is of the script."""
    rows = session.answers.filter(kind=Answer.Kind.FOLLOW_UP).order_by("position", "follow_up")
    return list(rows.values_list("question_text", "is_scripted"))


# --- Without a model --------------------------------------------------------------------------------


def test_scripted_follow_up_is_asked_at_once_without_a_model(make_session, django_assert_max_num_queries):
    session = make_session()
    answer = current(session)
    with django_assert_max_num_queries(45):
        answers.type_answer(answer=answer, text="x", by="test", now=now())

    assert not is_awaited(answer)
    assert kinds(session) == WITH_FOLLOW_UP
    follow_up = current(session)
    assert (follow_up.question_text, follow_up.is_scripted) == (SCRIPT[0], True)
    assert (follow_up.think_seconds, follow_up.answer_limit_seconds) == (10, 60)


def test_whole_script_is_asked_in_order_and_then_the_next_question(make_session):
    session = make_session(SCRIPT)
    for _ in range(3):
        type_answer(session)

    assert asked_so_far(session) == [(SCRIPT[0], True), (SCRIPT[1], True)]
    assert kinds(session)[:3] == [("question", 1, 0), ("follow_up", 1, 1), ("follow_up", 1, 2)]
    assert current(session).position == 2


def test_interview_ends_after_the_script_of_the_last_question(make_session):
    session = make_session()
    for _ in range(4):
        session.refresh_from_db()
        assert session.status == SessionStatus.UNDER_WAY
        type_answer(session)

    session.refresh_from_db()
    assert session.status == SessionStatus.FINISHED


def test_answer_that_may_be_recorded_again_is_followed_up_when_it_is_kept(make_session):
    session = make_session(retakes=1)
    answer = current(session)
    journey.answer_with(answer, factories.tone(0.5))
    assert kinds(session) == QUESTIONS

    answers.accept(answer=answer, by="test", now=now())

    assert kinds(session) == WITH_FOLLOW_UP
    assert current(session).retakes_left == 1


def test_scripted_follow_ups_are_spoken_before_a_candidate_comes(make_session):
    interview = factories.InterviewFactory(
        questions=1, questions__scripted_follow_ups=SCRIPT, published=False
    )
    version = versions.publish(interview=interview, by="test", now=now())
    spoken = set(Speech.objects.values_list("pk", flat=True))

    assert {interviews.speech_name(version, text) for text in SCRIPT} <= spoken
    session = sessions.start(invitation=factories.InvitationFactory(interview=interview), now=now())
    journey.get_under_way(session)
    type_answer(session)
    assert current(session).speech_key in spoken


def test_voice_that_stands_in_speaks_the_script_too(make_session):
    session = make_session()
    version = session.definition
    version.stand_in_voice = "espeak:en-gb"
    version.save()
    type_answer(session)

    assert current(session).speech_key == interviews.speech_name(version, SCRIPT[0])


# --- Beside a model ---------------------------------------------------------------------------------


def test_question_of_the_model_takes_the_place_of_the_script(make_session, language_model):
    session = make_session(SCRIPT, follow_ups=1)
    answer = type_answer(session)
    assert is_awaited(answer)
    look_for(answer)
    let_speak(session)
    type_answer(session, "Nothing much.")

    assert asked_so_far(session) == [(QUESTION, False), (SCRIPT[1], True)]
    assert len(language_model.sent) == 1  # the second place is the script's alone


@pytest.mark.parametrize(
    "temper", ["prying", "inventing", "silent", "malformed", "talkative", "broken", "cut_off", "refusing"]
)
def test_model_that_is_wrong_is_replaced_by_the_script(make_session, language_model, temper):
    language_model.temper = temper
    session = make_session(follow_ups=1)
    answer = type_answer(session)
    look_for(answer)

    assert asked_so_far(session) == [(SCRIPT[0], True)]
    assert Exchange.objects.get().outcome == "refused"
    assert not is_awaited(answer)


@pytest.mark.parametrize("mood", [500, 404, 400, "break", "nonsense"])
def test_model_that_cannot_be_reached_is_replaced_by_the_script(make_session, language_model, mood):
    language_model.mood = mood
    session = make_session(follow_ups=1)
    look_for(type_answer(session))

    assert asked_so_far(session) == [(SCRIPT[0], True)]


def test_script_is_asked_when_the_model_is_late_and_its_question_never(
    make_session, language_model, monkeypatch
):
    session = make_session(follow_ups=1)
    answer = type_answer(session)
    complete = exchanges.language_model.complete

    def slow(request, **options):
        answers.time_out(answer=answer, has_speech=None, by="test", now=now())
        return complete(request, **options)

    monkeypatch.setattr(exchanges.language_model, "complete", slow)
    before = metrics.FOLLOW_UPS.labels("late")._value.get()
    look_for(answer)
    let_speak(session)

    assert asked_so_far(session) == [(SCRIPT[0], True)]
    assert Exchange.objects.get().outcome == "late"
    assert metrics.FOLLOW_UPS.labels("late")._value.get() == before + 1


def test_nothing_is_sent_and_the_script_asked_where_the_candidate_did_not_agree(make_session, language_model):
    session = make_session(follow_ups=1, consent="Your answers are recorded.")
    type_answer(session)

    assert asked_so_far(session) == [(SCRIPT[0], True)]
    assert not language_model.sent


def test_script_is_asked_at_once_when_the_organisation_has_turned_the_model_off(make_session, language_model):
    session = make_session(follow_ups=1)
    factories.Organisation.objects.update(is_language_model_used=False)
    look_for(type_answer(session))

    assert asked_so_far(session) == [(SCRIPT[0], True)]
    assert not language_model.sent


def test_candidate_who_has_left_finds_the_scripted_follow_up(make_session, language_model):
    session = make_session(follow_ups=1)
    type_answer(session)
    jobs.follow_ups.sweep(now=now() + jobs.follow_ups.LEFT_BEHIND * 2)

    assert asked_so_far(session) == [(SCRIPT[0], True)]


def test_end_of_the_wait_that_is_told_twice_asks_once(make_session, language_model):
    session = make_session(SCRIPT, follow_ups=1)
    answer = type_answer(session)
    for _ in range(2):
        answers.time_out(answer=answer, has_speech=None, by="test", now=now())

    assert asked_so_far(session) == [(SCRIPT[0], True)]


# --- Versions ---------------------------------------------------------------------------------------


def test_candidates_keep_the_script_that_was_published(make_session):
    session = make_session()
    session.interview.questions.update(scripted_follow_ups=["Something else?"])
    type_answer(session)

    assert asked_so_far(session) == [(SCRIPT[0], True)]


def test_version_of_before_has_no_script_and_no_changes(interview):
    version = interview.published
    version.questions = [
        {name: value for name, value in each.items() if name != "scripted_follow_ups"}
        for each in version.questions
    ]
    version.save()

    assert not versions.has_changes(interview)
    assert not any(each.scripted_follow_ups for each in version.asked)


def test_difference_between_versions_tells_the_script(interview):
    question = interview.questions.first()
    question.scripted_follow_ups = SCRIPT
    question.save()

    [found] = differences(versions.written(interview.published), versions.written(interview))
    assert found.label == "Question 1: scripted follow-ups"
    assert found.after == "\n".join(SCRIPT)


def test_copy_of_an_interview_has_the_script(interview):
    interview.questions.update(scripted_follow_ups=SCRIPT)
    copy = versions.duplicate(interview=interview, by=None, now=now())

    assert [each.scripted_follow_ups for each in copy.questions.all()] == [SCRIPT] * 3


def test_expected_length_counts_the_script(interview):
    before = expected_minutes(interview.questions.all())
    interview.questions.update(scripted_follow_ups=SCRIPT)

    assert expected_minutes(interview.questions.all()) > before


def test_empty_follow_up_is_not_published(interview):
    interview.questions.update(scripted_follow_ups=[" "])

    assert versions.problems(interview) == ["A question has no text."]
