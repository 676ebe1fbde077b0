import os
import subprocess
import sys
from pathlib import Path

import pytest

from voice.errors import EngineUnavailable
from voice.text.sentiment import analyse, keywords

ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture
def _textblob():
    pytest.importorskip("textblob", reason="the extra [sentiment] is not installed")


@pytest.mark.usefixtures("_textblob")
@pytest.mark.parametrize(
    ("text", "label"),
    [
        ("I loved it. The team was wonderful and I am happy.", "positive"),
        ("It was terrible. I was angry and sad.", "negative"),
        ("The table has four legs.", "neutral"),
        ("", "neutral"),
        ("\x00\ud800 <b>&", "neutral"),
    ],
)
def test_the_label_follows_the_words(text, label):
    found = analyse(text)

    assert found.label == label
    assert -1 <= found.polarity <= 1
    assert 0 <= found.subjectivity <= 1


@pytest.mark.usefixtures("_textblob")
def test_a_negation_counts():
    assert analyse("The plan was good.").polarity > 0 > analyse("The plan was not good.").polarity


@pytest.mark.usefixtures("_textblob")
def test_emotion_words_are_those_that_weigh():
    assert analyse("I loved that terrible job, and I loved the other chair.").emotion_words == (
        "loved",
        "terrible",
    )


@pytest.mark.usefixtures("_textblob")
@pytest.mark.parametrize("language", ["de", "de-DE", "zh", "fr"])
def test_other_languages_have_no_sentiment(language):
    assert analyse("Das war furchtbar und ich bin sehr traurig.", language=language) is None


@pytest.mark.usefixtures("_textblob")
def test_english_of_any_region_has_one():
    assert analyse("Wonderful!", language="en_GB").label == "positive"


def test_keywords_are_what_the_text_is_about():
    text = "I moved our billing system to the cloud. The billing system was old, and it was in the way."

    assert keywords(text)[0] == "billing system"
    assert "the" not in keywords(text)


def test_keywords_are_at_most_ten_and_none_of_nothing():
    assert len(keywords(". ".join(f"word{number}x" for number in range(50)))) == 10
    assert keywords("") == keywords("and then it was so") == ()


def test_a_missing_library_names_the_extra(monkeypatch):
    monkeypatch.setitem(sys.modules, "textblob", None)

    with pytest.raises(EngineUnavailable, match=r"\[sentiment\]"):
        analyse("Hello")


@pytest.mark.usefixtures("_textblob")
def test_nothing_is_downloaded_and_no_corpus_is_needed(tmp_path):
    script = (
        "import socket\n"
        "def refuse(*args, **kwargs): raise SystemExit('the network was used')\n"
        "socket.socket.connect = socket.getaddrinfo = refuse\n"
        "from voice.text.sentiment import analyse\n"
        "print(analyse('I am happy with this wonderful project.').label)\n"
    )
    environment = {**os.environ, "NLTK_DATA": str(tmp_path), "HOME": str(tmp_path), "PYTHONPATH": str(ROOT)}

    result = subprocess.run(
        [sys.executable, "-c", script],
        env=environment,
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )

    assert result.stdout.strip() == "positive", result.stderr
    assert not list(tmp_path.iterdir())


def test_importing_the_module_imports_no_library():
    script = "import sys, voice.text.sentiment; print('textblob' in sys.modules)"

    result = subprocess.run(
        [sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True
    )

    assert result.stdout.strip() == "False"
