"""Whether words that a model quotes were said."""

import re
import unicodedata
from collections.abc import Sequence
from typing import Final

_WORD: Final = re.compile(r"\w+(?:['’]\w+)*")


def words(text: str) -> list[str]:
    """Return the words of a text so that spelling that no one hears does not count: case, marks, widths."""
    plain = unicodedata.normalize("NFKC", text).casefold().replace("’", "'")
    return _WORD.findall(plain)


def occurs(quote: str, text: str) -> bool:
    """Whether the words of the quote follow each other in the text. A quote without words does not."""
    wanted = words(quote)
    return bool(wanted) and f" {' '.join(wanted)} " in f" {' '.join(words(text))} "


def find(quote: str, spoken: Sequence[str]) -> tuple[int, int] | None:
    """Return where the quote stands among words that were spoken one by one: the first, and the last + 1."""
    wanted = words(quote)
    said = [(word, place) for place, each in enumerate(spoken) for word in words(each)]
    for first in range(len(said) - len(wanted) + 1 if wanted else 0):
        run = said[first : first + len(wanted)]
        if [word for word, _place in run] == wanted:
            return run[0][1], run[-1][1] + 1
    return None
