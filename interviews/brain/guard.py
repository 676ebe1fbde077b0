"""What a question of the language model must be before a candidate hears it, or a recruiter reads it.

    guard.refusal(question, quote=quote, answer=text, asked="What did you build?", language="en")
    guard.unfit(text, language="en", longest=400)

The prompt asks for the same, but a candidate's words may have persuaded the model of something else.
"""

import re
from functools import cache
from typing import Final

from interviews.texts import quotes
from interviews.texts.forbidden import COMMON_WORDS, FORBIDDEN, TO_ASSESSOR

LONGEST: Final = 220
MOST_WORDS: Final = 35
FEWEST_WORDS: Final = 3
STEM: Final = 5
"""Words with the same first letters count as one: "invoice" and "invoices", "Rechnung" and "Rechnungen"."""
_MARKUP: Final = re.compile(r"[<>{}\[\]\\|#*_`@]|https?:|www\.")
_MARKUP_IN_A_DRAFT: Final = re.compile(r"[<>{}\[\]`]|\*\*|https?:|www\.")
"""Here C# and snake_case are words: a person reads it."""


def languages() -> frozenset[str]:
    """Return the languages in which follow-up questions can be checked, and so be asked."""
    return frozenset(FORBIDDEN)


def refusal(question: str, *, quote: str, answer: str, asked: str, language: str) -> str:
    """Return why the question must not be asked, in one word; "" if it may.

    question: with plain spaces only. quote: the words of the answer that it is said to be about. asked: the
    question before.
    """
    if not _is_one_question(question):
        return "form"
    if not _is_in(question, language):
        return "language"
    if topic := forbidden_topic(question, language):
        return topic
    if not quotes.occurs(quote, answer):
        return "quote"
    if not _stems(question) & (_stems(quote) | _stems(asked)):
        return "off_topic"
    return ""


def unfit(text: str, *, language: str, longest: int) -> str:
    """Return why a text must not stand in a drafted interview, in one word; "" if it may.

    text: with plain spaces only. language: "" where the text is too short to tell it; then its form is all
    that is looked at. longest: in characters.
    """
    is_plain = text.isprintable() and not _MARKUP_IN_A_DRAFT.search(text)
    if not is_plain or len(text) > longest or not quotes.words(text):
        return "form"
    if not language:
        return ""
    return forbidden_topic(text, language) if _is_in(text, language) else "language"


def _is_one_question(text: str) -> bool:
    is_short = len(text) <= LONGEST and FEWEST_WORDS <= len(quotes.words(text)) <= MOST_WORDS
    is_asked_once = text.rstrip().endswith("?") and text.count("?") == 1 and "!" not in text
    return is_short and is_asked_once and text.isprintable() and not _MARKUP.search(text)


def forbidden_topic(text: str, language: str) -> str:
    """Return the first forbidden topic that the text touches; "" for none."""
    plain = " ".join(quotes.words(text))
    return next((topic for topic, pattern in _patterns(language) if pattern.search(plain)), "")


def topics(text: str, language: str) -> frozenset[str]:
    """Return all forbidden topics that the text touches."""
    plain = " ".join(quotes.words(text))
    return frozenset(topic for topic, pattern in _patterns(language) if pattern.search(plain))


def speaks_to_assessor(text: str) -> bool:
    """Whether the text has a known phrase of those who give orders to a computer that assesses them."""
    plain = " ".join(quotes.words(text))
    return any(pattern.search(plain) for pattern in _addresses())


@cache
def _addresses() -> list[re.Pattern[str]]:
    return [_pattern(listed) for listed in TO_ASSESSOR.values()]


@cache
def _patterns(language: str) -> list[tuple[str, re.Pattern[str]]]:
    return [(topic, _pattern(listed)) for topic, listed in FORBIDDEN[language].items()]


def _pattern(listed: str) -> re.Pattern[str]:
    phrases = [
        " ".join(quotes.words(each)) + r"\w*" * each.strip().endswith("*") for each in listed.split(",")
    ]
    return re.compile(rf"(?<!\w)(?:{'|'.join(phrases)})(?!\w)")


def _is_in(text: str, language: str) -> bool:
    """Whether no other language has more of its common words in the text."""
    found = quotes.words(text.replace("'", " ").replace("’", " "))
    counts = {code: sum(word in common for word in found) for code, common in _common_words().items()}
    return counts.get(language, 0) == max(counts.values()) > 0


@cache
def _common_words() -> dict[str, frozenset[str]]:
    return {code: frozenset(listed.split()) for code, listed in COMMON_WORDS.items()}


def _stems(text: str) -> set[str]:
    common = frozenset[str]().union(*_common_words().values())
    return {word[:STEM] for word in quotes.words(text) if len(word) > 3 and word not in common}
