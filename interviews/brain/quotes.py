"""Whether words that a model quotes were said."""

import re
import unicodedata
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
