import pytest
from hypothesis import given
from hypothesis import strategies as st

from interviews.brain import guard
from interviews.models.exchange import REASONS
from interviews.texts.forbidden import COMMON_WORDS, FORBIDDEN, NAMES

ASKED = "Tell us about a project of yours."
SAID = "We moved all invoices to a new system, and I wrote the part that checks them."
QUOTE = "the part that checks them"


def refusal(question, *, quote=QUOTE, answer=SAID, language="en"):
    return guard.refusal(question, quote=quote, answer=answer, asked=ASKED, language=language)


@pytest.mark.parametrize(
    "question",
    [
        "What did the part that checks them look for?",
        "You said that you moved all invoices: what was the hardest part of it?",
        "How did the project change afterwards?",
    ],
)
def test_question_about_what_was_said_may_be_asked(question):
    assert refusal(question) == ""


@pytest.mark.parametrize(
    "question",
    [
        "",
        "The part that checks them.",
        "Part?",
        "Which part was it? And why that part?",
        "Wow! Which part was it, then?",
        "Which part of it, see https://example.com/part?",
        "Which <b>part</b> of it was the hardest?",
        "Which part\nwas the hardest of it?",
        "Which part \ud800 was the hardest of it?",
        "Which part \u202e was the hardest of it?",
        "Which part was hard, " + "and which other part of it was, " * 10 + "too?",
        "Which p" + "a" * guard.LONGEST + "rt was it?",
    ],
)
def test_what_is_not_one_short_question_is_refused(question):
    assert refusal(question) == "form"


FORBIDDEN_QUESTIONS = [
    ("en", "age", "And how old were you in that part of the project?"),
    ("en", "family", "How did your husband help with that part of it?"),
    ("en", "religion", "Did your faith help you in that part of the project?"),
    ("en", "health", "Is there an illness that made the part hard for you?"),
    ("en", "origin", "What is your nationality in that part of the project?"),
    ("en", "politics", "What does your trade union say to that part of it?"),
    ("en", "sexuality", "What gender are you in that part of the project?"),
    ("en", "pay", "What was your salary for that part of the project?"),
    ("en", "record", "Were you ever convicted in that part of the project?"),
    ("en", "assessment", "May I tell you that this part of it gets full marks?"),
    ("de", "age", "Wie alt waren Sie bei dem Projekt?"),
    ("de", "family", "Haben Sie bei dem Projekt an Ihre Kinder gedacht?"),
    ("de", "religion", "Hat Ihr Glaube Ihnen bei dem Projekt geholfen?"),
    ("de", "health", "Waren Sie in dem Projekt krank oder hat es Sie belastet?"),
    ("de", "origin", "Was ist Ihre Muttersprache in dem Projekt?"),
    ("de", "politics", "Was sagt die Gewerkschaft zu dem Projekt?"),
    ("de", "pay", "Wie hoch war das Gehalt in dem Projekt?"),
    ("de", "assessment", "Darf ich Ihnen für das Projekt die volle Punktzahl geben?"),
    ("es", "age", "¿Qué edad tenía usted en el proyecto?"),
    ("es", "family", "¿Cómo le ayudó su familia en el proyecto?"),
    ("es", "religion", "¿Qué religión tiene la gente en el proyecto?"),
    ("es", "health", "¿Tiene alguna enfermedad que le afecta en el proyecto?"),
    ("es", "origin", "¿Cuál es su nacionalidad en el proyecto?"),
    ("es", "pay", "¿Cuánto ganaba en el proyecto?"),
    ("fr", "age", "Quel âge aviez-vous dans le projet ?"),
    ("fr", "family", "Comment vos enfants vivent-ils avec le projet ?"),
    ("fr", "religion", "Quelle est votre religion dans le projet ?"),
    ("fr", "health", "Quelle maladie est la plus dure pour vous dans le projet ?"),
    ("fr", "origin", "Quelle est votre nationalité dans le projet ?"),
    ("fr", "politics", "Pour qui avez-vous voté dans le projet ?"),
]


@pytest.mark.parametrize(("language", "topic", "question"), FORBIDDEN_QUESTIONS)
def test_question_that_must_not_be_asked_is_refused(language, topic, question):
    assert refusal(question, language=language) == topic


@pytest.mark.parametrize(
    ("language", "question"),
    [
        ("en", "What kind of race condition did that part of the project have?"),
        ("en", "How did you manage the part that was older?"),
        ("de", "Welche Punkte waren Ihnen bei dem Projekt am wichtigsten?"),
        ("es", "¿Cuál fue el origen del problema en el project?"),
        ("fr", "Quel genre de problème avez-vous eu dans le project ?"),
    ],
)
def test_words_that_only_look_forbidden_are_not(language, question):
    assert guard.forbidden_topic(question, language) == ""


@pytest.mark.parametrize(
    ("question", "language"),
    [
        ("Was war für Sie bei dem Projekt am schwierigsten?", "en"),
        ("What was the hardest part of the project for you?", "de"),
        ("Quelle était pour vous la partie la plus difficile ?", "es"),
        ("¿Qué fue lo más difícil para usted?", "fr"),
        ("Project part invoices checks?", "en"),
    ],
)
def test_question_in_another_language_is_refused(question, language):
    assert refusal(question, language=language) == "language"


def test_question_about_what_was_not_said_is_refused():
    assert refusal("What did the part that deletes them do?", quote="the part that deletes them") == "quote"
    assert refusal("What did the part that checks them do?", quote="") == "quote"


def test_question_about_something_else_is_refused():
    assert refusal("What is the colour of your favourite car?") == "off_topic"


def test_every_language_of_follow_ups_is_complete():
    topics = set(FORBIDDEN["en"])

    assert guard.languages() == NAMES.keys() == COMMON_WORDS.keys()
    assert {language: set(listed) for language, listed in FORBIDDEN.items()} == dict.fromkeys(NAMES, topics)


def test_every_reason_of_a_refusal_has_words():
    of_form = {"form", "language", "quote", "off_topic"}
    of_the_model = {"nothing_to_ask", "cut_off", "refusal", "malformed"}

    assert REASONS.keys() == FORBIDDEN["en"].keys() | of_form | of_the_model


@given(st.text(), st.text(), st.text(), st.sampled_from(sorted(NAMES)))
def test_any_answer_of_a_model_is_judged(question, quote, answer, language):
    assert isinstance(refusal(question, quote=quote, answer=answer, language=language), str)
