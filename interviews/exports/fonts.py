"""The fonts of PDF files, which are packages: what characters they have, and what stands for others.

Noto Sans has Latin, Cyrillic and Greek. Devanagari, and Chinese, Japanese and Korean have fonts of their own,
which are read only if a text needs them. All are under the Open Font Licence 1.1.
"""

import unicodedata
from collections.abc import Iterable
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Final, NamedTuple

from fontTools.ttLib import TTFont


class Font(NamedTuple):
    """A font and where it lies: a package, and a file in it."""

    name: str
    package: str
    file: str

    @property
    def path(self) -> Path:
        found = resources.files(self.package).joinpath(self.file)
        assert isinstance(found, Path), "packages of fonts are folders"
        return found


TEXT: Final = Font("noto", "fontpkg_noto_sans", "files/NotoSans[wdth,wght].ttf")
OTHERS: Final = (
    Font("devanagari", "fontpkg_noto_sans_devanagari", "files/NotoSansDevanagari[wdth,wght].ttf"),
    Font("cjk", "noto_cjk_sans_jp_regular", "NotoSansCJKjp-Regular.otf"),
)
JOINERS: Final = "\u200c\u200d"
"""They shape the letters of Indic scripts around them."""


@cache
def characters(font: Font) -> frozenset[int]:
    """Return the code points that a font has."""
    with TTFont(font.path, lazy=True) as read:
        return frozenset(read.getBestCmap())


def needed(text: str) -> list[Font]:
    """Return the fonts that the text needs beside `TEXT`."""
    left = {ord(char) for char in set(text)} - characters(TEXT)
    chosen = []
    for font in OTHERS if left else ():
        if left & characters(font):
            chosen.append(font)
            left -= characters(font)
    return chosen


def printable(text: str) -> str:
    """Return `text` as it can be printed: what no font has is written by its number, as [U+1F600].

    So nothing is lost, and nothing is hidden: characters that change the direction of writing are written so
    too.
    """
    return "".join(_printed(char) for char in unicodedata.normalize("NFC", text.replace("\r\n", "\n")))


def is_complete(texts: Iterable[str]) -> bool:
    """Whether every character of `texts` is printed as itself."""
    return all(_printed(char) == char for char in set("".join(texts)) - {"\r", "\t"})


@cache
def _printed(char: str) -> str:
    if char in "\n ":
        return char
    if char == "\t":
        return " "
    is_hidden = unicodedata.category(char)[0] == "C" and char not in JOINERS
    if not is_hidden and any(ord(char) in characters(font) for font in (TEXT, *OTHERS)):
        return char
    return f"[U+{ord(char):04X}]"
