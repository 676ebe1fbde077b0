import io
import re
import unicodedata
from datetime import timedelta

import pypdf
import pytest
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from interviews.exports import fonts, pdf, sections
from interviews.exports.blocks import Pair, Run, Section, Spoken, Text, moment
from interviews.queries import records
from tests import factories
from voice.models import Transcript

NOW = timezone.now()


def read(content: bytes) -> str:
    """Return the text of all pages, with one space between words."""
    pages = pypdf.PdfReader(io.BytesIO(content)).pages
    return " ".join(" ".join(page.extract_text() for page in pages).split())


def of_text(text: str) -> str:
    return read(pdf.write([Section("Words", [Text(text)])], title="A file", now=NOW))


def of_record(record) -> str:
    return read(pdf.write(sections.of(record), title="Zoë Brontë – Keeper of bees", now=NOW))


def test_whole_interview_can_be_read(record):
    text = of_record(record)
    answer = record.answers[0]
    for said in (
        *("Zoë Brontë", "zoe@example.com", "Keeper of bees", "1, published"),
        *(record.session.consent_text, f"1. {answer.answer.question_text}", "0:02 recorded"),
        *("0:00 I built a small service (?) that reads", "I would rather write.", "Typed instead of spoken."),
        *(
            answer.recording.sha256,
            "time zone of all times: UTC",
            "faster_whisper base, English",
            "less than 50 % certainty",
        ),
    ):
        assert said in text, said
    assert "Just for practice" not in text
    assert "allowed" not in text, "a longer recording would tell of an accommodation"
    assert "Scores and decision" not in text


@pytest.mark.parametrize(
    ("status", "said"), [("waiting", "is still waiting"), ("failed", "failed"), ("no_engine", "No engine")]
)
def test_missing_transcript_says_why(session, status, said):
    recording = factories.RecordingFactory(sealed=True)
    factories.AnswerFactory(session=session, position=3, status="accepted", recording=recording)
    factories.TranscriptFactory(recording=recording, status=status)
    text = of_record(records.of(session.pk))
    assert said in text
    assert "complete, not stored yet" in text


def test_facts_have_their_times(session):
    asked_at = timezone.now() - timedelta(minutes=3)
    factories.AnswerFactory(
        session=session, position=3, accepted=True, asked_again_at=asked_at, is_silent=True
    )
    text = of_record(records.of(session.pk))
    assert f"Question 3 Asked again: nothing was heard until the limit. {moment(asked_at)}" in text
    assert "the second time too." in text


def test_facts_about_the_whole_interview_stand_beside_the_others(session):
    factories.ObservationFactory(session=session, kind="reconnected")
    assert "Interview The connection was lost and came back." in of_record(records.of(session.pk))


def test_corrected_words_are_followed_by_what_was_recognised(session):
    factories.CorrectionFactory(answer=session.answers.get(position=1), first_word=3, text="tiny")
    factories.CorrectionFactory(answer=session.answers.get(position=1), first_word=0, text="")
    text = of_record(records.of(session.pk))
    assert "(nothing said) [I] built a tiny [small] service (?)" in text
    assert "Words in brackets were recognised" in text


def test_candidates_words_are_told_from_those_of_reviewers(session):
    answer = session.answers.get(position=1)
    factories.CorrectionFactory(answer=answer, first_word=3, text="tiny [large]", is_by_candidate=True)
    type(answer).objects.filter(pk=answer.pk).update(flagged_at=timezone.now())
    text = of_record(records.of(session.pk))
    assert "I built a tiny (large) {small} service (?)" in text
    assert "Words in curly brackets were recognised" in text
    assert "The candidate says that this was heard wrongly" in text
    assert "Words in brackets were recognised" not in text


def test_candidates_correction_of_another_version_is_told(session):
    answer = session.answers.get(position=1)
    factories.CorrectionFactory(answer=answer, first_word=3, text="tiny", is_by_candidate=True)
    Transcript.objects.update(version=2)
    text = of_record(records.of(session.pk))
    assert "The candidate corrected version 1, which is not used: listen." in text


def test_unreliable_transcript_says_so(session):
    assert "Unreliable" not in of_record(records.of(session.pk))
    Transcript.objects.update(confidence=0.41)
    text = of_record(records.of(session.pk))
    assert "Unreliable transcript: listen. The computer was 41 % sure of its words." in text


@pytest.mark.parametrize(
    "words",
    [
        *("Grüße, Señor, à bientôt, żółć", "Расскажите о себе", "Πείτε μας για εσάς"),
        *("自己紹介をしてください", "请介绍一下你自己", "자기소개를 해 주세요"),
    ],
)
def test_scripts_of_the_fonts_are_printed_as_they_are(words):
    text = of_text(words)
    found, expected = (unicodedata.normalize("NFKC", "".join(each.split())) for each in (text, words))
    assert expected in found.replace("\0", ""), "pypdf reads a sign of two bytes as two"
    assert "lack some characters" not in text


def test_word_is_not_cut_where_a_run_begins():
    runs = [Run("x" * n, is_doubtful=bool(n % 2)) for n in range(1, 30)]
    text = read(pdf.write([Section("Words", [Spoken("0:00", runs)])], title="A file", now=NOW))
    assert all(f" {run.text} " in text for run in runs)


def test_long_label_stands_above_its_text():
    label = "Names what went wrong without being asked for it"
    text = read(pdf.write([Section("Words", [Pair(label, "4 of 4")])], title="A file", now=NOW))
    assert f"{label} 4 of 4" in text


def test_devanagari_is_shaped():
    assert fonts.is_complete(["अपने बारे में बताइए"])
    assert "lack some characters" not in of_text("अपने बारे में बताइए")


def test_what_the_fonts_lack_is_written_by_its_number_and_said():
    text = of_text("I am happy 😀 مرحبا")
    assert "I am happy [U+1F600] [U+0645][U+0631][U+062D][U+0628][U+0627]" in text
    assert "lack some characters" in text


def test_hidden_characters_are_shown():
    assert fonts.printable("user\u202egnp.exe\u200b\x07") == "user[U+202E]gnp.exe[U+200B][U+0007]"


def test_words_are_no_markup():
    hostile = "**bold** __x__ [a](http://evil.example) <a href='http://evil.example'>b</a> {nb} (\\) Tj"
    content = pdf.write([Section("Words", [Text(hostile)])], title=hostile, now=NOW)
    assert hostile in read(content)
    for page in pypdf.PdfReader(io.BytesIO(content)).pages:
        assert "/Annots" not in page
    assert not re.search(rb"/(URI|JavaScript|Launch|EmbeddedFile)", content)


@settings(max_examples=5, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.text(st.characters(blacklist_categories=["Cs"], max_codepoint=0x24FF), max_size=300))
def test_any_text_becomes_a_file(text):
    pypdf.PdfReader(io.BytesIO(pdf.write([Section(text, [Text(text)])], title=text, now=NOW)))


@settings(deadline=None)
@given(st.text())
def test_nothing_is_lost_of_a_text(text):
    printed = fonts.printable(text)
    back = re.sub(r"\[U\+([0-9A-F]{4,6})\]", lambda found: chr(int(found[1], 16)), printed)
    expected = unicodedata.normalize("NFC", text.replace("\r\n", "\n")).replace("\t", " ")
    assert back == expected
