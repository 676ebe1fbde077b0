"""The recogniser expects the terms of a vocabulary, and the voice says them as they are pronounced."""

import pytest
from django.utils import timezone

from interviews.actions import answers, bank, interviews, sessions, vocabularies
from interviews.models import InterviewVersion, Vocabulary
from tests import factories
from voice.models import Recording, Speech

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("clean_redis")]
BY = {"by": "test", "now": timezone.now()}


@pytest.fixture
def interview():
    interview = factories.InterviewFactory(vocabulary="Kafka\nNguyen = win")
    factories.QuestionFactory(interview=interview, text="Have you met Nguyen?")
    factories.publish(interview)
    return interview


@pytest.fixture
def shared(interview):
    return Vocabulary.objects.create(
        organisation=interview.organisation, language="en", text="Redis\nNguyen = noo yen"
    )


def begun(interview):
    """The recording of a candidate who has begun to answer the practice question."""
    now = timezone.now()
    session = sessions.start(invitation=factories.InvitationFactory(interview=interview), now=now)
    sessions.check_devices(session=session, by="test", now=now)
    answer = session.answers.get(position=0)
    answers.begin(answer=answer, by="test", now=now)
    return Recording.objects.get()


def test_recording_expects_the_terms_of_interview_and_organisation(interview, shared):
    Vocabulary.objects.create(organisation=interview.organisation, language="de", text="Straße")
    factories.OrganisationFactory()
    assert begun(interview).hot_words == "Kafka, Nguyen, Redis"


def test_candidates_keep_the_terms_of_their_version(interview):
    interview.vocabulary = "Another"
    interview.save()
    assert begun(interview).hot_words == "Kafka, Nguyen"


def test_question_is_spoken_as_its_words_are_pronounced_and_compared_as_it_is_written(interview, shared):
    interviews.request_speech(interview=interview)
    row = Speech.objects.get(key=interviews.speech_name(interview, "Have you met Nguyen?"))
    assert (row.text, row.written) == ("Have you met win?", "Have you met Nguyen?")
    assert Speech.objects.get(written="").text, "the practice question holds no such word"


def test_another_pronunciation_is_another_speech_and_none_is_the_old_one(interview):
    names = []
    for vocabulary in ("", "Nguyen = win", "Nguyen = noo yen", "Nguyen"):
        interview.vocabulary = vocabulary
        names.append(interviews.speech_name(interview, "Have you met Nguyen?"))
    assert len(set(names)) == 3
    assert names[0] == names[3]


def test_candidate_hears_the_pronunciation_of_the_organisation(interview, shared):
    interview.vocabulary = ""
    factories.publish(interview)
    interview.save()
    session = sessions.start(invitation=factories.InvitationFactory(interview=interview), now=timezone.now())
    row = Speech.objects.get(key=session.answers.get(position=1).speech_key)
    assert row.text == "Have you met noo yen?"


CHANGES = {
    "changed": lambda row: (setattr(row, "text", "Nguyen = win"), vocabularies.save(vocabulary=row, **BY)),
    "deleted": lambda row: vocabularies.delete(vocabulary=row, **BY),
    "given another language": lambda row: (
        setattr(row, "language", "de"),
        vocabularies.save(vocabulary=row, **BY),
    ),
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_vocabulary_that_changes_has_published_interviews_and_the_bank_spoken_again(change):
    organisation = factories.OrganisationFactory()
    interview = factories.InterviewFactory(organisation=organisation, introduction="Nguyen asks you.")
    question = factories.BankQuestionFactory(organisation=organisation, text="Who is Nguyen?")
    elsewhere = factories.InterviewFactory(introduction="Nguyen asks elsewhere.")
    row = Vocabulary.objects.create(organisation=organisation, language="en", text="Nguyen = noo yen")

    change(row)

    version = InterviewVersion.objects.get(interview=interview)
    wanted = {interviews.speech_name(version, version.introduction), bank.speech_name(question)}
    assert wanted <= set(Speech.objects.values_list("key", flat=True))
    assert not Speech.objects.filter(key=interviews.speech_name(elsewhere, elsewhere.introduction)).exists()
