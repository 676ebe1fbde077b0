"""Follow-up questions in what is taken away: after their question, under its number."""

import io
import zipfile

import pytest
from django.utils import timezone

from interviews.exports import archive, candidates, schema, sections, subtitles
from interviews.exports.sections import Heading, Pair
from interviews.models import Session
from interviews.queries import records
from tests import factories

pytestmark = pytest.mark.django_db


@pytest.fixture
def record(session):
    factories.AnswerFactory(
        session=session,
        kind="follow_up",
        position=1,
        follow_up=1,
        question_text="And then?",
        accepted=True,
        transcript="Then I tested it.",
        is_silent=True,
    )
    return records.of(session.pk)


def test_documents_have_them_after_their_question(record):
    described = schema.described(record, now=timezone.now())
    assert [(each.position, each.follow_up) for each in described.answers] == [(1, 0), (1, 1), (2, 0)]
    assert ("silent", 1, 1) in [(fact.kind, fact.position, fact.follow_up) for fact in described.facts]

    blocks = [block for section in sections.of(record) for block in section.blocks]
    headings = [block.text for block in blocks if isinstance(block, Heading)]
    assert [text.split()[0] for text in headings] == ["1.", "1.1.", "2."]
    assert headings[1] == "1.1. And then?"
    assert "Question 1.1" in [block.label for block in blocks if isinstance(block, Pair)]
    assert subtitles.vtt(record).index("invoices") < subtitles.vtt(record).index("tested")


def test_documents_say_who_asked(record):
    follow_up = record.answers[1].answer
    assert "Follow-up question of the language model" in texts_of(record)
    assert not schema.described(record, now=timezone.now()).answers[1].is_scripted

    follow_up.is_scripted = True

    assert "Scripted follow-up question" in texts_of(record)
    assert schema.described(record, now=timezone.now()).answers[1].is_scripted


def texts_of(record):
    return " ".join(getattr(block, "text", "") for section in sections.of(record) for block in section.blocks)


def test_archive_has_their_recordings(record):
    own = Session.objects.filter(pk=record.session.pk)
    pieces = archive.stream(records.recordings(own, at_most=9), now=timezone.now())
    names = zipfile.ZipFile(io.BytesIO(b"".join(pieces))).namelist()

    assert [name.rpartition("/")[2] for name in names] == ["01.flac", "01.1.flac", "contents.csv"]


def test_lists_count_their_seconds_and_no_further_question(record):
    viewer = factories.UserFactory(is_superuser=True)
    sessions = Session.objects.filter(pk=record.session.pk)
    [row] = candidates.rows(sessions, [], viewer=viewer, on_chunk=lambda chunk: None)
    told = dict(zip(candidates.header([], viewer=viewer), row, strict=True))
    seconds = sum(each.recording.duration_s for each in record.answers if each.recording)

    assert (told["questions"], told["answered"]) == (2, 2)
    assert told["seconds recorded"] == round(seconds, 1)
