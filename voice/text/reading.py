"""Text as people write it, turned into what a voice should read.

| written | read |
|---|---|
| Markdown: emphasis, headings, lists, quotes, tables | the words; each heading, item and cell by itself |
| a link, a picture | its text |
| code in a line | as text |
| a block of code, a ruler | not at all |
| https://www.example.com/a?b=c | example dot com |
| anna@example.com | anna at example dot com |
| $x^2 = \\frac{a}{b}$ | x to the power of 2 equals a over b |
| emoji | not at all |

The words for signs are known in English, German, Spanish, French and Italian; elsewhere the signs stay. A
text of nothing but code or emoji is read as it was written.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from functools import cache
from typing import Final

from markdown_it import MarkdownIt
from markdown_it.token import Token

from voice.text.languages import primary_language

_WORDS: Final = {
    "en": ("dot", "at", "to the power of", "over", "times", "plus", "minus", "equals"),
    "de": ("Punkt", "at", "hoch", "durch", "mal", "plus", "minus", "gleich"),
    "es": ("punto", "arroba", "elevado a", "entre", "por", "más", "menos", "igual a"),
    "fr": ("point", "arobase", "puissance", "sur", "fois", "plus", "moins", "égale"),
    "it": ("punto", "chiocciola", "elevato a", "fratto", "per", "più", "meno", "uguale a"),
}
_SIGNS: Final = (".", "@", "^", "/", "*", "+", "-", "=")

# The lengths are bounded, so the searches take time linear in the text.
_URL: Final = re.compile(
    r"\b(?:https?://|www\.)(?:www\.)?([\w.-]{1,253})(?::\d{1,5})?(?:[/?#]\S{0,2000}?)?(?=[.,;:!?)\]\"'»”]*(?:\s|$))"
)
_EMAIL: Final = re.compile(r"\b([\w.+-]{1,64})@([\w-]{1,63}(?:\.[\w-]{1,63}){1,8})\b")
# Source: Pandoc's manual, extension tex_math_dollars: "$5 and $10" is no formula.
_FORMULA: Final = re.compile(
    r"\$\$([^$]{1,500})\$\$|\$(?=\S)([^$\n]{1,500})(?<=\S)\$(?!\d)|\\\((.{1,500}?)\\\)|\\\[(.{1,500}?)\\\]"
)
_FRACTION: Final = re.compile(r"\\[dt]?frac\{([^{}]{1,200})\}\{([^{}]{1,200})\}")
_TIMES: Final = re.compile(r"\\(?:cdot|times)\b|[×·]")
_COMMAND: Final = re.compile(r"\\([A-Za-z]+)")
_EMOJI: Final = re.compile(
    "[\U0001f000-\U0001faff\u2600-\u27bf\u2b00-\u2bff\u3030\u303d\u3297\u3299]"
    "[\ufe0e\ufe0f\u20e3\U0001f3fb-\U0001f3ff\U000e0020-\U000e007f]*\u200d?|[\ufe0f\u20e3]"
)
MOST_BRACKETS: Final = 100
"""Looking for links takes time by the square of the opening brackets; a text with more is left as it is."""
_PRODUCT: Final = re.compile(r"(?<=\w)\*(?=\w)")
_MATHS_BACKSLASH: Final = re.compile(r"\\(?=[()\[\]])")
_ENDS: Final = re.compile(r"[^\w\s]\W*$")


def readable(text: str, language: str) -> str:
    """Return `text` as a voice should read it; plain text stays as it is."""
    return with_spoken_signs(without_markdown(text), language)


def without_markdown(text: str) -> str:
    """Return the words of Markdown. Between two blocks stands the end of a sentence."""
    if text.count("[") > MOST_BRACKETS:
        return text
    text = text.replace("\0", "")  # it would come back as a replacement character
    kept = _MATHS_BACKSLASH.sub(r"\\\\", _PRODUCT.sub(r"\\*", text))
    blocks = list(_blocks(_markdown().parse(kept)))
    ended = [block if _ENDS.search(block) else f"{block}." for block in blocks[:-1]]
    return _or_as_written(" ".join([*ended, *blocks[-1:]]), text)


def with_spoken_signs(text: str, language: str) -> str:
    """Return `text` with formulas and addresses in words, and without emoji."""
    words = _WORDS.get(primary_language(language), ())
    read = _EMOJI.sub(" ", _with_formulas(text, words))
    if words:
        read = _URL.sub(lambda found: _dotted(found.group(1), words), read)
        read = _EMAIL.sub(lambda found: _address(found, words), read)
    return _or_as_written(read, text)


def _or_as_written(read: str, text: str) -> str:
    return read if any(char.isalnum() for char in read) else text


def _with_formulas(text: str, words: Sequence[str]) -> str:
    return _FORMULA.sub(lambda found: _formula(next(filter(None, found.groups())), words), text)


def _formula(written: str, words: Sequence[str]) -> str:
    read = _TIMES.sub("*", _FRACTION.sub(r"\1 / \2", written))
    read = _COMMAND.sub(r" \1 ", read).translate(str.maketrans("{}_\\", "    "))
    for sign, word in zip(_SIGNS[2:], words[2:], strict=False):
        read = read.replace(sign, f" {word} ")
    return f" {' '.join(read.split())} "


def _address(found: re.Match[str], words: Sequence[str]) -> str:
    return f"{_dotted(found.group(1), words)} {words[1]} {_dotted(found.group(2), words)}"


def _dotted(name: str, words: Sequence[str]) -> str:
    return name.replace(".", f" {words[0]} ")


@cache
def _markdown() -> MarkdownIt:
    # What is indented is code in CommonMark; people indent for other reasons.
    return MarkdownIt("commonmark", {"html": False}).enable(["table", "strikethrough"]).disable("code")


def _blocks(tokens: Sequence[Token]) -> Iterator[str]:
    number = ""
    for token in tokens:
        if token.type == "list_item_open":
            number = f"{token.info}. " if token.info else ""
        elif token.type == "inline" and (words := _inline(token.children or []).strip()):
            yield number + words
            number = ""


def _inline(tokens: Sequence[Token]) -> str:
    return "".join(" " if token.type in ("softbreak", "hardbreak") else token.content for token in tokens)
