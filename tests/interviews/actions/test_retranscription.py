"""Answers are transcribed again: every version is kept, one is used, and nothing is done twice."""

from datetime import timedelta

import pytest
from django.core.files.storage import default_storage
from django.utils import timezone

from interviews.actions import corrections, erasure, retranscription, withdrawal
from interviews.actions.errors import ActionRefused, BadValue, WrongState
from interviews.models import Correction, SearchEntry
from interviews.queries import suggestions, transcript_versions
from interviews.queries.answers import AnswerRecord, complete
from tests import factories
from tests.fakes import FakeRecognition
from voice.errors import EngineUnavailable
from voice.inference import reports
from voice.inference.recognizer import Recognizer
from voice.inference.reports import EngineReport
from voice.models import Transcript, TranscriptVersion
from voice.recordings import versions
from voice.types import EngineModel
from voice.workers import attempts, sweeper, transcription

pytestmark = pytest.mark.django_db
BASE, LARGE = EngineModel("faster_whisper", "base"), EngineModel("faster_whisper", "large-v3")


def offer(connection, *models, languages=("en",)):
    """Say that workers have these models; each of a pool of its own."""
    reports.publish(
        [
            EngineReport(
                "recognition", f"{engine}@{n}", model, "cpu", "ready", host=str(n), languages=languages
            )
            for n, (engine, model) in enumerate(models)
        ],
        connection,
    )


@pytest.fixture(autouse=True)
def models(clean_redis):
    offer(clean_redis, BASE, LARGE)


@pytest.fixture
def by():
    return factories.UserFactory()


@pytest.fixture
def answer():
    session = factories.SessionFactory(finished=True)
    return factories.AnswerFactory(session=session, position=1, accepted=True, transcript="we read in voices")


def hearing(says, model=LARGE):
    """A recogniser with one engine."""
    engine = FakeRecognition(says)
    engine.name, engine.model = model
    return Recognizer([engine])


@pytest.fixture
def heard(use_recognition):
    """Let workers hear "we read invoices" with the large model."""
    return use_recognition(hearing("we read invoices"))


def ask(answer, by, *, model=LARGE, is_to_be_current=True):
    retranscription.transcribe_answer_again(
        answer=answer, model=model, is_to_be_current=is_to_be_current, by=by, now=timezone.now()
    )


def work(answer):
    transcription.transcribe_again(str(answer.recording_id))
    return TranscriptVersion.objects.filter(recording=answer.recording_id).latest("version")


def correct(answer, by, text="invoices", version=1):
    words = {"first_word": 2, "last_word": 3 if version == 1 else 2}
    now = timezone.now()
    return corrections.correct(answer=answer, **words, text=text, version=version, by=by, now=now)


def use(answer, by, version, *, is_confirmed=False):
    retranscription.use(answer=answer, version=version, is_confirmed=is_confirmed, by=by)


def record(answer):
    """What pages and exports read of it."""
    return AnswerRecord.of(complete(answer.session.answers.all()).get())


def test_version_is_made_used_and_found_by_search(answer, by, heard):
    ask(answer, by)
    made = work(answer)

    assert (made.version, made.status, made.text) == (2, "done", "we read invoices")
    assert (made.asked_by, made.engine, made.model) == (str(by.pk), *LARGE)
    assert record(answer).text == "we read invoices"
    assert record(answer).transcript.version == 2
    assert "invoic" in SearchEntry.objects.get(pk=answer.pk).lexemes
    first = TranscriptVersion.objects.get(version=1)
    assert (first.text, first.model, first.words) == ("we read in voices", "base", first.words)
    assert first.words[2]["word"] == "in"


def test_version_that_is_not_to_be_used_stays_beside(answer, by, heard):
    ask(answer, by, is_to_be_current=False)
    work(answer)
    assert record(answer).text == "we read in voices"

    use(answer, by, 2)
    assert record(answer).text == "we read invoices"
    use(answer, by, 1)
    assert record(answer).text == "we read in voices"


def test_corrections_keep_the_version_that_they_were_made_on(answer, by, heard):
    correct(answer, by)
    ask(answer, by)
    work(answer)
    assert record(answer).text == "we read invoices", "the corrected first version is still used"
    assert record(answer).transcript.version == 1

    use(answer, by, 2)
    assert [is_in_force for _layer, is_in_force in record(answer).history] == [False]
    correct(answer, by, "bills", version=2)
    assert record(answer).text == "we read bills"

    use(answer, by, 1)
    assert record(answer).text == "we read invoices"
    assert list(Correction.objects.values_list("version", flat=True)) == [1, 2]


def test_version_that_the_candidate_corrected_is_left_with_a_confirmation_only(answer, by, heard):
    factories.CorrectionFactory(
        answer=answer, first_word=2, last_word=3, text="in verses", is_by_candidate=True
    )
    ask(answer, by)
    work(answer)
    with pytest.raises(WrongState, match="Confirm"):
        use(answer, by, 2)
    use(answer, by, 1)  # the one that is used
    assert not record(answer).is_unreliable

    use(answer, by, 2, is_confirmed=True)
    assert record(answer).corrected_elsewhere == 1
    assert record(answer).is_unreliable
    assert not suggestions.is_reliable(suggestions.records(answer.session)[0])

    use(answer, by, 1)
    assert record(answer).text == "we read in verses"
    assert not record(answer).is_unreliable


def test_new_version_waits_for_a_person_where_a_reviewer_restored_what_the_candidate_corrected(
    answer, by, heard
):
    words = {"first_word": 2, "last_word": 3}
    factories.CorrectionFactory(answer=answer, **words, is_by_candidate=True)
    factories.CorrectionFactory(answer=answer, **words, text=None)
    ask(answer, by)
    work(answer)
    assert record(answer).transcript.version == 1
    with pytest.raises(WrongState, match="Confirm"):
        use(answer, by, 2)


def test_correction_of_a_page_with_another_version_is_refused(answer, by, heard):
    ask(answer, by)
    work(answer)
    with pytest.raises(WrongState, match="Another version"):
        correct(answer, by)


def test_second_click_starts_no_second_job(answer, by, queued, django_capture_on_commit_callbacks):
    with django_capture_on_commit_callbacks(execute=True):
        ask(answer, by)
    with pytest.raises(WrongState, match="already"):
        ask(answer, by)
    assert queued("stt-later") == [f"transcribe-again-{answer.recording_id}"]
    assert TranscriptVersion.objects.filter(status="waiting").count() == 1


def test_job_run_twice_does_the_work_once(answer, by, use_recognition):
    engine = FakeRecognition("we read invoices")
    engine.name, engine.model = LARGE
    use_recognition(Recognizer([engine]))
    ask(answer, by)
    work(answer)
    work(answer)
    assert len(engine.heard) == 1
    assert engine.heard[0].hot_words is None


def test_lost_job_is_queued_again(answer, by, queued, django_capture_on_commit_callbacks):
    ask(answer, by)
    TranscriptVersion.objects.update(retry_at=timezone.now() - timedelta(seconds=1))
    with django_capture_on_commit_callbacks(execute=True):
        sweeper.sweep()
    assert f"transcribe-again-{answer.recording_id}" in queued("stt-later")


def test_model_that_made_a_version_is_not_asked_again(answer, by, heard):
    with pytest.raises(WrongState, match="by this model already"):
        ask(answer, by, model=BASE)
    ask(answer, by)
    work(answer)
    with pytest.raises(WrongState, match="by this model already"):
        ask(answer, by)


def test_model_that_no_worker_has_is_refused(answer, by):
    with pytest.raises(BadValue, match="does not run now"):
        ask(answer, by, model=EngineModel("deepgram", "nova"))
    assert not TranscriptVersion.objects.exists()


def test_model_that_does_not_know_the_language_is_refused(answer, by, clean_redis):
    clean_redis.flushdb()
    offer(clean_redis, LARGE, languages=("de",))
    with pytest.raises(BadValue):
        ask(answer, by)


def test_interview_under_way_is_left_alone(by):
    answer = factories.AnswerFactory(session__status="under_way", accepted=True)
    with pytest.raises(WrongState, match="under way"):
        ask(answer, by)


def test_model_that_is_gone_meanwhile_fails_plainly(answer, by, use_recognition):
    use_recognition(hearing("we read invoices", model=BASE))
    ask(answer, by)
    failed = work(answer)
    assert (failed.status, failed.last_error) == (
        "failed",
        "faster_whisper (large-v3) is not configured here any more.",
    )
    assert record(answer).text == "we read in voices"


def test_engine_that_does_not_work_is_given_up(answer, by, fail_recognition):
    fail_recognition(EngineUnavailable("The model cannot be loaded."))
    ask(answer, by)
    for _ in range(attempts.MAX_ATTEMPTS):
        with pytest.raises(Exception, match="cannot be loaded"):
            work(answer)
    assert work(answer).status == "failed"
    assert work(answer).last_error == "The model cannot be loaded."


def test_recording_whose_file_is_gone_ends_it(answer, by, heard):
    ask(answer, by)
    default_storage.delete(answer.recording.storage_name)
    with pytest.raises(Exception, match="recording is gone"):
        work(answer)
    assert TranscriptVersion.objects.latest("version").status == "failed"


def test_erasure_ends_it_and_takes_every_version_away(answer, by, heard):
    ask(answer, by)
    recording_id = answer.recording_id
    erasure.erase_candidate(invitation=answer.session.invitation, by=by, now=timezone.now())
    transcription.transcribe_again(str(recording_id))
    assert not TranscriptVersion.objects.exists()


def test_answers_of_several_interviews_are_asked_for_together(answer, by):
    session = factories.SessionFactory(
        invitation__interview__organisation=answer.session.interview.organisation, finished=True, answers=2
    )
    typed = factories.AnswerFactory(session=session, position=3, status="accepted", typed_text="Typed")
    factories.AnswerFactory(session=session, position=4, accepted=True)
    factories.AnswerFactory(session=session, practice=True, accepted=True)
    count = retranscription.transcribe_again(
        sessions=[answer.session, session], model=LARGE, is_to_be_current=True, by=by, now=timezone.now()
    )
    assert count == 2
    assert not TranscriptVersion.objects.filter(recording__answer=typed).exists()
    assert transcript_versions.progress_of(session) == (0, 1)


def test_number_of_answers_that_wait_has_an_end(answer, by, monkeypatch):
    monkeypatch.setattr(retranscription, "MOST_WAITING", 1)
    ask(answer, by)
    other = factories.AnswerFactory(
        session=factories.SessionFactory(
            invitation__interview__organisation=answer.session.interview.organisation, finished=True
        ),
        accepted=True,
    )
    with pytest.raises(WrongState, match="At most 1 answers"):
        ask(other, by)
    foreign = factories.AnswerFactory(session=factories.SessionFactory(finished=True), accepted=True)
    ask(foreign, by)


def test_number_of_versions_has_an_end(answer, by, heard, monkeypatch):
    monkeypatch.setattr(versions, "MOST_VERSIONS", 2)
    ask(answer, by, is_to_be_current=False)
    TranscriptVersion.objects.filter(version=2).update(status="failed")
    with pytest.raises(WrongState, match="too often"):
        ask(answer, by)


def test_answer_whose_first_transcript_failed_gets_one(answer, by, heard):
    Transcript.objects.update(status="failed", text="", segments=[], last_error="No.", engine="", model="")
    ask(answer, by)
    work(answer)
    assert record(answer).text == "we read invoices"
    assert record(answer).transcript.last_error == ""


@pytest.mark.parametrize("version", [0, 1, 2, 3])
def test_version_that_is_not_done_cannot_be_used(answer, by, version):
    ask(answer, by)
    TranscriptVersion.objects.filter(version=1).update(status="failed")
    with pytest.raises(ActionRefused):
        use(answer, by, version)


def test_log_has_no_word_of_it(answer, by, heard, caplog):
    with caplog.at_level("INFO"):
        ask(answer, by)
        work(answer)
    assert "transcribed again" in caplog.text
    assert "invoices" not in caplog.text


def test_withdrawn_consent_ends_versions_that_wait_and_allows_no_more(answer, by, heard):
    ask(answer, by)
    withdrawal.withdraw(invitation=answer.session.invitation, now=timezone.now())

    transcription.transcribe_again(str(answer.recording_id))

    assert not TranscriptVersion.objects.filter(version=2).exists()
    answer.session.refresh_from_db()
    with pytest.raises(WrongState, match="withdrawn"):
        ask(answer, by)


def test_withdrawn_consent_is_of_attempts_that_were_set_aside_too(answer, by):
    earlier, later = answer.session, factories.SessionFactory(finished=True)
    type(earlier.invitation).objects.filter(pk=earlier.invitation_id).update(set_aside_of=later.invitation)
    ask(answer, by)
    first = factories.AnswerFactory(session=earlier, position=2, accepted=True, transcript="once")
    Transcript.objects.filter(recording=first.recording_id).update(status="waiting")

    withdrawal.withdraw(invitation=later.invitation, now=timezone.now())

    assert not TranscriptVersion.objects.filter(status="waiting").exists()
    assert not Transcript.objects.filter(status="waiting").exists()
    with pytest.raises(WrongState, match="withdrawn"):
        ask(answer, by)
