"""Names and terms, as recruiters write them: one a line, `Nguyen = win` where the voice says it wrong.

The recogniser gets what is written, as hot words. The voice says what stands after the sign.
"""

from typing import Final, NamedTuple

from django.utils.translation import gettext as _

from voice.text.normalisation import normalise

SIGN: Final = "="
MAX_TERMS: Final = 40
MAX_TERM_CHARS: Final = 60
MAX_SPOKEN_CHARS: Final = 120
MAX_CHARS: Final = 300
"""Of all terms together. Whisper takes 223 tokens of hot words: two such vocabularies have room if they
are written in Latin letters. The interview's come first, and what is too much is left out."""


class Term(NamedTuple):
    """spoken: how the voice says it; "" as it is written."""

    written: str
    spoken: str


class BadVocabulary(ValueError):
    """It can't be used as it is written. The message says why, and which line."""


def terms(text: str) -> list[Term]:
    """Return the terms of a vocabulary, in order. Empty lines are left out."""
    return [_term(line) for line in text.splitlines() if normalise(line)]


def _term(line: str) -> Term:
    written, _sign, spoken = line.partition(SIGN)
    return Term(normalise(written), normalise(spoken))


def tidy(text: str) -> str:
    """Return the text in the form in which it is kept.

    Raises:
        BadVocabulary: too much, too long, twice, or nothing before the sign.
    """
    found = terms(text)
    if len(found) > MAX_TERMS:
        raise BadVocabulary(
            _("%(n)d terms are too many: at most %(most)d.") % {"n": len(found), "most": MAX_TERMS}
        )
    seen: set[str] = set()
    for term in found:
        _check(term, seen)
        seen.add(term.written)
    if (length := len(hot_words(text))) > MAX_CHARS:
        raise BadVocabulary(
            _("The terms have %(n)d characters together: at most %(most)d.")
            % {"n": length, "most": MAX_CHARS}
        )
    return "\n".join(
        f"{each.written} {SIGN} {each.spoken}" if each.spoken else each.written for each in found
    )


def _check(term: Term, seen: set[str]) -> None:
    if not any(char.isalnum() for char in term.written):
        raise BadVocabulary(_("“= %(spoken)s”: write the term before the sign =.") % {"spoken": term.spoken})
    if "," in term.written:
        raise BadVocabulary(_("“%(term)s”: write one term a line, without commas.") % {"term": term.written})
    if len(term.written) > MAX_TERM_CHARS or len(term.spoken) > MAX_SPOKEN_CHARS:
        raise BadVocabulary(
            _("“%(term)s…”: at most %(written)d characters, and %(spoken)d for how it is spoken.")
            % {"term": term.written[:20], "written": MAX_TERM_CHARS, "spoken": MAX_SPOKEN_CHARS}
        )
    if term.spoken and not any(char.isalnum() for char in term.spoken):
        raise BadVocabulary(
            _("“%(term)s”: write how it is spoken after the sign =.") % {"term": term.written}
        )
    if term.written in seen:
        raise BadVocabulary(_("“%(term)s” stands there twice.") % {"term": term.written})


def hot_words(*texts: str) -> str:
    """Return what the recogniser gets of these vocabularies: each term once, the first vocabulary first."""
    return ", ".join(dict.fromkeys(term.written for text in texts for term in terms(text)))


def pronunciations(*texts: str) -> dict[str, str]:
    """Return what the voice says otherwise than it is written. The first vocabulary decides."""
    return {term.written: term.spoken for text in reversed(texts) for term in terms(text) if term.spoken}
