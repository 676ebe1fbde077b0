"""Rate an English text as positive or negative by a list of words. Off unless a request asks for it.

    analyse("I really loved that job.").label            # "positive"

It counts words of a lexicon and understands nothing, so it never feeds a score, and `interviews` may not
import it (ADR 9). textblob (extra "sentiment") is imported when first used; its lexicon is in its package,
and nothing is downloaded.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Final, Literal

from voice.errors import EngineUnavailable
from voice.text.languages import primary_language

if TYPE_CHECKING:
    from textblob import TextBlob

Label = Literal["positive", "neutral", "negative"]

LANGUAGES: Final = frozenset({"en"})  # languages of textblob's lexicon
NEUTRAL_BELOW: Final = 0.1  # a polarity closer to 0 is noise of the lexicon
EMOTIONAL_FROM: Final = 0.3
KEYWORDS_LIMIT: Final = 10
_KEYWORD_WORDS: Final = 3

_STOPS: Final = """
    a about above after again all also am an and any are as at be because been before being below
    between both but by can cannot could did do does doing don't down during each else even ever few
    for from further get got had has have having he her here hers him his how i if in into is it
    it's its itself i'd i'll i'm i've just let like made make many may me might more most much must
    my myself no nor not now of off on once one only or other our ours out over own quite rather
    really said same say she should so some such than that that's the their theirs them then there
    these they thing things think this those though through to too under until up upon us very was
    we well were what when where which while who whom why will with would yes yet you your yours
"""
_STOP_WORDS: Final = frozenset(_STOPS.split())
_PHRASE_ENDS: Final = re.compile(r"[^\w\s'’-]+|\s+[-–—]\s+|\n+")
_WORD: Final = re.compile(r"[^\W\d_][\w'’-]*")


@dataclass(frozen=True, slots=True)
class Sentiment:
    """polarity -1 (negative) .. 1 (positive); subjectivity 0 (facts) .. 1 (opinions).

    `emotion_words` are the words that made the polarity, in order of appearance; `keywords` are the topics of
    the text, the most relevant first. Both are in lower case.
    """

    polarity: float
    subjectivity: float
    label: Label
    emotion_words: tuple[str, ...]
    keywords: tuple[str, ...]


def analyse(text: str, *, language: str = "en") -> Sentiment | None:
    """Return the sentiment of `text`, or None for a language other than English, which has no lexicon.

    Raises:
        EngineUnavailable: the extra "sentiment" is not installed.
    """
    if primary_language(language) not in LANGUAGES:
        return None
    polarity, subjectivity, found = _blob(text).sentiment_assessments
    return Sentiment(
        polarity=round(polarity, 3),
        subjectivity=round(subjectivity, 3),
        label=_label(polarity),
        emotion_words=_distinct(" ".join(words) for words, own, *_ in found if abs(own) >= EMOTIONAL_FROM),
        keywords=keywords(text),
    )


def tone_fields(text: str, language: str) -> dict[str, Any]:
    """Return {sentiment, keywords} of a text as they are sent; null and none if there is no lexicon.

    Raises:
        EngineUnavailable: the extra "sentiment" is not installed.
    """
    found = analyse(text, language=language or "en")
    if found is None:
        return {"sentiment": None, "keywords": []}
    fields = asdict(found)
    return {"keywords": fields.pop("keywords"), "sentiment": fields}


def keywords(text: str) -> tuple[str, ...]:
    """Return at most ten words or phrases of English `text`, the most relevant first, in lower case.

    Source: S. Rose et al., Automatic keyword extraction from individual documents (2010): the words between
    two stop words form a phrase, and a word scores higher the longer its phrases are.
    """
    phrases = list(_phrases(text))
    counts = Counter(word for phrase in phrases for word in phrase)
    degrees = Counter[str]()
    for phrase in phrases:
        for word in phrase:
            degrees[word] += len(phrase)
    scores = Counter(
        {" ".join(phrase): sum(degrees[word] / counts[word] for word in phrase) for phrase in phrases}
    )
    frequencies = Counter(" ".join(phrase) for phrase in phrases)
    ranked = sorted(scores, key=lambda phrase: -scores[phrase] * frequencies[phrase])
    return tuple(ranked[:KEYWORDS_LIMIT])


def _blob(text: str) -> TextBlob:
    try:
        from textblob import TextBlob
    except ImportError as error:
        raise EngineUnavailable(
            "Sentiment is not here; install this project with its extra [sentiment]."
        ) from error
    return TextBlob(text)


def _label(polarity: float) -> Label:
    if abs(polarity) < NEUTRAL_BELOW:
        return "neutral"
    return "positive" if polarity > 0 else "negative"


def _phrases(text: str) -> Iterator[tuple[str, ...]]:
    for stretch in _PHRASE_ENDS.split(text.lower().replace("’", "'")):
        phrase: list[str] = []
        for word in [*_WORD.findall(stretch), ""]:
            if word and word not in _STOP_WORDS and len(phrase) < _KEYWORD_WORDS:
                phrase.append(word)
                continue
            if phrase:
                yield tuple(phrase)
            phrase = [word] if word and word not in _STOP_WORDS else []


def _distinct(words: Iterator[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(words))
