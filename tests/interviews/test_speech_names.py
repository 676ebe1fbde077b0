"""Speech of interviews after an upgrade from the release in which its names could be guessed."""

import hashlib
import pkgutil
from importlib import import_module

import pytest
from django.apps import apps

from interviews import migrations
from interviews.actions.interviews import speech_name
from tests import factories
from voice.models import Speech
from voice.text.normalisation import normalise

pytestmark = pytest.mark.django_db


def migrate():
    (name,) = (m.name for m in pkgutil.iter_modules(migrations.__path__) if m.name.endswith("secret_names"))
    import_module(f"interviews.migrations.{name}").request_speech(apps, None)


def test_upgrade_requests_speech_under_new_names_and_keeps_the_old():
    interview = factories.InterviewFactory(questions=2)
    text = normalise(interview.questions.first().text)
    old = factories.SpeechFactory(
        key=hashlib.sha256(f"{text}\x1f{interview.voice}\x1f{interview.language}".encode()).hexdigest(),
        text=text,
        ready=True,
    )

    for _ in range(2):
        migrate()

    assert Speech.objects.filter(status=Speech.Status.WAITING).count() == 3  # with the practice question
    row = Speech.objects.get(key=speech_name(interview, text))
    assert (row.text, row.language, row.voice) == (text, interview.language, interview.voice)
    assert Speech.objects.get(key=old.key).status == Speech.Status.READY


def test_upgrade_requests_texts_as_they_are_read():
    interview = factories.InterviewFactory(language="en")
    factories.QuestionFactory(interview=interview, text="Why **here**?")

    migrate()

    assert Speech.objects.get(key=speech_name(interview, "Why **here**?")).text == "Why here?"


def test_organisations_share_no_names():
    interview, other = (factories.InterviewFactory(language="en", voice="") for _ in range(2))

    assert speech_name(interview, "Why here?") != speech_name(other, "Why here?")
