"""A follow-up question of the language model: waited for, asked once it is spoken, or passed over."""

from datetime import timedelta

import pytest
from django.utils import timezone

from interviews import jobs
from interviews.actions import answers, erasure, exchanges, sessions, versions, withdrawal
from interviews.actions.errors import BadValue
from interviews.models import Answer, Exchange, Session
from interviews.states import SessionStatus
from tests import factories
from tests.interviews import journey
from tests.vendors.language_model import NAME
from voice import signals
from voice.models import Speech
from voice.workers import transcription

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("clean_redis")]
commits = pytest.mark.django_db(transaction=True)
"""Jobs are queued after the commit."""

CONSENT = f"Your answers are recorded. What you say is sent as text to {NAME}."
SAID = "I built a small service that reads invoices and checks them for mistakes."
QUESTION = "What was the hardest part of “built a small service”?"


@pytest.fixture
def make_session(language_model):
    """Begin an interview of two questions that may have follow-ups."""

    def make(follow_ups=1, *, consent=CONSENT, is_used=True, language="en", retakes=0) -> Session:
        interview = factories.InterviewFactory(
            questions=2,
            questions__follow_ups=follow_ups,
            questions__retakes=retakes,
            consent_text=consent,
            language=language,
            organisation__is_language_model_used=is_used,
        )
        invitation = factories.InvitationFactory(interview=interview)
        session = sessions.start(invitation=invitation, now=timezone.now())
        journey.get_under_way(session)
        return session

    return make


@pytest.fixture
def session(make_session):
    return make_session()


def now():
    return timezone.now()


def current(session) -> Answer | None:
    """The answer that is due."""
    rows = session.answers.select_related("session__invitation__interview", "recording")
    open_ones = rows.exclude(kind=Answer.Kind.PRACTICE).exclude(status=Answer.Status.ACCEPTED)
    return open_ones.order_by("position", "follow_up").first()


def type_answer(session, text=SAID) -> Answer:
    answer = current(session)
    answers.type_answer(answer=answer, text=text, by="test", now=now())
    return answer


def look_for(answer) -> None:
    jobs.ask_language_model(str(answer.pk))


def let_speak(session) -> None:
    """The worker has spoken what was requested last."""
    rows = Speech.objects.exclude(status=Speech.Status.READY)
    spoken = list(rows)
    rows.update(status=Speech.Status.READY, storage_name="a", duration_ms=900)
    for speech in spoken:
        signals.speech_rendered.send(None, speech=speech)


def kinds(session) -> list[tuple[str, int, int]]:
    rows = session.answers.exclude(kind=Answer.Kind.PRACTICE)
    return list(rows.order_by("position", "follow_up").values_list("kind", "position", "follow_up"))


QUESTIONS = [("question", 1, 0), ("question", 2, 0)]
WITH_FOLLOW_UP = [("question", 1, 0), ("follow_up", 1, 1), ("question", 2, 0)]


def is_awaited(answer) -> bool:
    return Answer.objects.get(pk=answer.pk).follow_up_by is not None


# --- Asked -----------------------------------------------------------------------------------------


def test_follow_up_is_asked_once_it_is_spoken(session):
    answer = type_answer(session)
    look_for(answer)

    assert kinds(session) == QUESTIONS
    assert is_awaited(answer)
    let_speak(session)

    assert kinds(session) == WITH_FOLLOW_UP
    assert not is_awaited(answer)
    follow_up = current(session)
    assert follow_up.question_text == QUESTION
    assert (follow_up.think_seconds, follow_up.answer_limit_seconds) == (10, 60)
    assert Speech.objects.get(pk=follow_up.speech_key).text


@commits
def test_spoken_answer_is_asked_about_when_its_transcript_is_there(session, fake_recognition, queued):
    answer = current(session)
    journey.answer_with(answer, factories.tone(0.5))
    look_for(answer)
    assert not Exchange.objects.exists()  # nothing is known yet

    before = len(queued("brain"))
    transcription.transcribe(str(answer.recording_id))
    assert len(queued("brain")) == before + 1
    look_for(answer)

    assert Exchange.objects.get().answer == answer


def test_question_that_no_voice_can_speak_is_asked_as_text(session):
    answer = type_answer(session)
    look_for(answer)
    Speech.objects.filter(key=Exchange.objects.get().speech_key).update(status=Speech.Status.FAILED)

    answers.time_out(answer=answer, has_speech=None, by="test", now=now())

    assert kinds(session) == WITH_FOLLOW_UP


def test_no_more_follow_ups_come_than_the_question_allows(make_session):
    session = make_session(follow_ups=2)
    for _ in range(3):
        answer = type_answer(session, SAID)
        look_for(answer)
        let_speak(session)

    assert kinds(session) == [*WITH_FOLLOW_UP[:2], ("follow_up", 1, 2), ("question", 2, 0)]


def test_interview_ends_after_the_follow_up_to_the_last_answer(session):
    answers.type_answer(answer=current(session), text="-", by="test", now=now())
    last = journey.questions(session)[1]
    answers.type_answer(answer=last, text=SAID, by="test", now=now())
    session.refresh_from_db()
    assert session.status == SessionStatus.UNDER_WAY

    look_for(last)
    let_speak(session)
    type_answer(session, "It was the dates.")

    session.refresh_from_db()
    assert session.status == SessionStatus.FINISHED


@commits
def test_answer_that_may_be_recorded_again_is_sent_when_it_is_kept(make_session, fake_recognition, queued):
    session = make_session(retakes=1)
    answer = current(session)
    journey.answer_with(answer, factories.tone(0.5))
    transcription.transcribe(str(answer.recording_id))
    look_for(answer)
    assert not queued("brain")
    assert not Exchange.objects.exists()

    answers.accept(answer=answer, by="test", now=now())
    look_for(answer)

    assert Exchange.objects.exists()
    let_speak(session)
    assert current(session).retakes_left == 1


# --- Passed over -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("temper", "reason"),
    [
        ("prying", "age"),
        ("inventing", "quote"),
        ("silent", "nothing_to_ask"),
        ("malformed", "malformed"),
        ("talkative", "malformed"),
        ("broken", "malformed"),
        ("cut_off", "cut_off"),
        ("refusing", "refusal"),
    ],
)
def test_model_that_is_wrong_is_passed_over_at_once(session, language_model, temper, reason):
    language_model.temper = temper
    answer = type_answer(session)
    look_for(answer)

    exchange = Exchange.objects.get()
    assert (exchange.outcome, exchange.reason) == ("refused", reason)
    assert not is_awaited(answer)
    assert kinds(session) == QUESTIONS


@pytest.mark.parametrize("mood", [500, 404, 400, "break", "nonsense"])
def test_model_that_cannot_be_reached_is_passed_over_at_once(session, language_model, mood):
    language_model.mood = mood
    answer = type_answer(session)
    look_for(answer)

    assert Exchange.objects.get().outcome == "failed"
    assert not is_awaited(answer)


def test_interview_goes_on_when_the_time_is_over(session, language_model):
    answer = type_answer(session)
    answers.time_out(answer=answer, has_speech=None, by="test", now=now())
    assert not is_awaited(answer)

    look_for(answer)
    assert not language_model.sent  # it would come too late


def test_question_that_comes_too_late_is_kept_and_not_asked(session, language_model, monkeypatch):
    answer = type_answer(session)
    complete = exchanges.language_model.complete

    def slow(request, **options):
        answers.time_out(answer=answer, has_speech=None, by="test", now=now())
        return complete(request, **options)

    monkeypatch.setattr(exchanges.language_model, "complete", slow)
    look_for(answer)

    exchange = Exchange.objects.get()
    assert (exchange.outcome, exchange.question) == ("late", QUESTION)
    assert not Speech.objects.filter(key=exchange.speech_key).exists()
    assert kinds(session) == QUESTIONS


def test_question_that_is_spoken_too_late_is_not_asked(session):
    answer = type_answer(session)
    look_for(answer)
    answers.time_out(answer=answer, has_speech=None, by="test", now=now())
    let_speak(session)

    assert Exchange.objects.get().outcome == "late"
    assert kinds(session) == QUESTIONS


def test_page_that_does_not_wait_gets_the_next_question(session):
    """Pages of the release before know nothing of follow-ups."""
    answer = type_answer(session)
    look_for(answer)
    answers.ask(answer=journey.questions(session)[1], by="test", now=now())
    let_speak(session)

    assert not is_awaited(answer)
    assert Exchange.objects.get().outcome == "late"
    assert kinds(session) == QUESTIONS


def test_last_answer_of_a_candidate_who_has_left_ends_the_interview(session):
    for answer in journey.questions(session):
        answers.type_answer(answer=answer, text=SAID, by="test", now=now())

    jobs.follow_ups.sweep(now=now())
    session.refresh_from_db()
    assert session.status == SessionStatus.UNDER_WAY
    jobs.follow_ups.sweep(now=now() + timedelta(minutes=1))

    session.refresh_from_db()
    assert session.status == SessionStatus.FINISHED


def test_answer_in_which_nothing_was_said_is_not_sent(session, language_model):
    answer = current(session)
    journey.answer_with(answer, factories.tone(0.5))
    factories.Transcript.objects.filter(recording=answer.recording_id).update(status="done", text=" ")
    look_for(answer)

    assert not language_model.sent
    assert not is_awaited(answer)


@pytest.mark.parametrize(("confidence", "is_sent"), [(0.75, True), (0.74, False), (None, False)])
def test_what_was_recognised_badly_is_not_sent(session, language_model, confidence, is_sent):
    answer = current(session)
    journey.answer_with(answer, factories.tone(0.5))
    transcript = factories.Transcript.objects.filter(recording=answer.recording_id)
    transcript.update(status="done", text=SAID, confidence=confidence)
    look_for(answer)

    assert bool(language_model.sent) == is_sent
    assert is_awaited(answer) == is_sent  # for its voice


def test_job_that_runs_twice_sends_once(session, language_model):
    answer = type_answer(session)
    look_for(answer)
    look_for(answer)

    assert len(language_model.sent) == 1
    assert kinds(session) == QUESTIONS


# --- Consent ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "without",
    [
        {"follow_ups": 0},
        {"is_used": False},
        {"consent": "Your answers are recorded."},
        {"language": "it"},
    ],
)
def test_nothing_is_sent_without_all_that_it_takes(make_session, language_model, without):
    session = make_session(**without)
    answer = type_answer(session)
    look_for(answer)

    assert not is_awaited(answer)
    assert not language_model.sent


def test_nothing_is_sent_without_a_model(make_session, language_model, settings):
    session = make_session()
    settings.LLM_NAME = ""
    answer = type_answer(session)

    assert not is_awaited(answer)
    assert not language_model.sent


@pytest.mark.parametrize("change", ["organisation", "another model"])
def test_nothing_is_sent_that_the_candidate_did_not_agree_to(session, language_model, settings, change):
    """The organisation turned the model off, or somebody else runs it now."""
    answer = type_answer(session)
    if change == "organisation":
        factories.Organisation.objects.update(is_language_model_used=False)
    else:
        settings.LLM_NAME = "Somebody Else Inc."
    look_for(answer)

    assert not language_model.sent
    assert not is_awaited(answer)


def test_interview_with_follow_ups_is_published_only_if_its_consent_names_the_model(language_model):
    interview = factories.InterviewFactory(
        questions=1,
        questions__follow_ups=1,
        published=False,
        organisation__is_language_model_used=True,
    )
    with pytest.raises(BadValue, match=NAME):
        versions.publish(interview=interview, by="test", now=now())

    interview.consent_text = CONSENT
    interview.save()
    version = versions.publish(interview=interview, by="test", now=now())
    assert version.asked[0].follow_ups == 1


def test_interview_with_follow_ups_is_not_published_in_a_language_without_them(language_model):
    interview = factories.InterviewFactory(
        questions=1,
        questions__follow_ups=1,
        published=False,
        language="it",
        consent_text=CONSENT,
        organisation__is_language_model_used=True,
    )
    assert "language" in versions.problems(interview)[0]


def test_version_of_before_has_no_follow_ups_and_no_changes(interview):
    version = interview.published
    version.questions = [
        {name: value for name, value in each.items() if name != "follow_ups"} for each in version.questions
    ]
    version.save()

    assert not versions.has_changes(interview)
    assert [each.follow_ups for each in version.asked] == [0, 0, 0]


# --- What is kept -----------------------------------------------------------------------------------


def test_everything_sent_and_received_is_kept_with_the_answer(session, language_model):
    answer = type_answer(session)
    look_for(answer)

    exchange = Exchange.objects.get(answer=answer)
    assert exchange.sent == language_model.sent[0]
    assert SAID in exchange.sent["messages"][1]["content"]
    assert QUESTION in exchange.received
    assert (exchange.model, exchange.prompt_version) == ("small-and-quick", "follow_up/1")
    assert exchange.output_tokens == 30
    assert exchange.took_ms is not None


@pytest.mark.parametrize("is_asked", [True, False])
def test_erasing_a_candidate_erases_what_was_sent_and_the_spoken_question(session, is_asked):
    answer = type_answer(session)
    look_for(answer)
    key = Exchange.objects.get().speech_key
    if is_asked:
        let_speak(session)

    row = erasure.erase_candidate(invitation=session.invitation, by="test", now=now())

    assert not Exchange.objects.exists()
    assert key in row.pending


def test_nothing_is_kept_of_a_candidate_who_was_erased_meanwhile(session, monkeypatch):
    answer = type_answer(session)
    complete = exchanges.language_model.complete

    def slow(request, **options):
        erasure.erase_candidate(invitation=session.invitation, by="test", now=now())
        return complete(request, **options)

    monkeypatch.setattr(exchanges.language_model, "complete", slow)
    look_for(answer)

    assert not Exchange.objects.exists()
    assert not Speech.objects.filter(text__contains="hardest part").exists()


def test_what_was_said_is_not_logged(session, language_model, caplog):
    caplog.set_level("DEBUG")
    answer = type_answer(session)
    look_for(answer)
    let_speak(session)
    language_model.mood = 500
    look_for(type_answer(session, SAID))

    assert "invoices" not in caplog.text
    assert "hardest" not in caplog.text


def test_nothing_is_sent_after_the_consent_was_withdrawn(session):
    answer = type_answer(session)
    read_before = exchanges.with_all(Answer.objects.filter(pk=answer.pk))
    withdrawal.withdraw(invitation=session.invitation, now=now())

    exchanges.ask_about(answer=read_before, said=SAID)  # a job that had begun
    look_for(answer)

    assert Answer.objects.get(pk=answer.pk).follow_up_by is None
    assert not Exchange.objects.exists()


def test_nothing_is_sent_after_the_interview_has_ended(session):
    answer = type_answer(session)
    Session.objects.filter(pk=session.pk).update(status=SessionStatus.ABANDONED)

    look_for(answer)

    assert not Exchange.objects.exists()
