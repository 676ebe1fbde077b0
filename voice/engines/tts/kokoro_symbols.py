"""Letters to the 114 symbols that Kokoro reads: IPA as espeak-ng writes it, with a few signs of its own.

    symbols("Hello, world.", "en-US")         # "həlˈO, wˈɜɹld."
    numbers(...)                              # what the model takes

Kokoro learned Spanish, French, Hindi, Italian and Portuguese from espeak-ng's IPA itself, so there only its
signs for two letters in one sound ("t^ʃ" is "ʧ") differ. For English it learned a notation with fewer vowels,
to which `_ENGLISH` leads. What has no match is left out: the ties, the remark "-" that a vowel may be silent,
and the marks of a syllable (◌̩) and of a dental sound (◌̪).
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from typing import Final

from voice.engines.tts import espeak

# Each number is that of the first symbol of its row. Source: hexgrad/Kokoro-82M, config.json ("vocab")
_ROWS: Final = {
    1: ";:,.!?",
    9: '—…"()“” \u0303ʣʥʦʨᵝꭧAI',
    31: "O",
    33: "Q",
    35: "ST",
    39: "W",
    41: "Yᵊabcdef",
    50: "hijklmnopqrstuvwxyzɑɐɒæ",
    75: "βɔɕç",
    80: "ɖðʤə",
    85: "ɚɛɜ",
    90: "ɟ",
    92: "ɡ",
    99: "ɥ",
    101: "ɨɪʝ",
    110: "ɯɰŋɳɲɴø",
    118: "ɸθœ",
    123: "ɹ",
    125: "ɾɻ",
    128: "ʁɽʂʃʈʧ",
    135: "ʊʋ",
    138: "ʌɣɤ",
    142: "χʎ",
    147: "ʒʔ",
    156: "ˈˌː",
    162: "ʰ",
    164: "ʲ",
    169: "↓",
    171: "→↗↘",
    177: "ᵻ",
}
NUMBERS: Final = {symbol: first + i for first, row in _ROWS.items() for i, symbol in enumerate(row)}
LIMIT: Final = 510
"""Symbols in one call of the model. Source: hexgrad/Kokoro-82M, config.json (512 with one at each end)."""

# espeak-ng ties the letters of one sound with ^. Source: hexgrad/misaki, EN_PHONES.md and misaki/espeak.py
_TIED: Final = {
    "a^ɪ": "I",
    "a^ʊ": "W",
    "d^z": "ʣ",
    "d^ʒ": "ʤ",
    "e^ɪ": "A",
    "o^ʊ": "O",
    "ə^ʊ": "Q",
    "s^s": "S",
    "t^s": "ʦ",
    "t^ʃ": "ʧ",
    "ɔ^ɪ": "Y",
}
_ENGLISH: Final = {
    "ʔˌn\u0329": "tᵊn",
    "ʔn\u0329": "tᵊn",
    "ʔ": "t",
    "ə^l": "ᵊl",
    "n\u0329": "ᵊn",
    "l\u0329": "ᵊl",
    "e": "A",
    "ɚ": "əɹ",
    "r": "ɹ",
    "x": "k",
    "ç": "k",
    "ɐ": "ə",
    "ɬ": "l",
    "ʲ": "",
    "\u0303": "",
}
_AMERICAN: Final = {"ɜːɹ": "ɜɹ", "ɜː": "ɜɹ", "ɪə": "iə", "ɪ^ə": "iə", "ː": "", "ɾ": "T", "o": "ɔ"}
_BRITISH: Final = {"e^ə": "ɛː", "iə": "ɪə", "i^ə": "ɪə", "o^ʊ": "Q", "ɾ": "t"}
_SIGNS: Final = str.maketrans({"«": "“", "»": "”", "–": "—", "।": ".", "¿": "", "¡": ""})
_SIGN: Final = re.compile(r"""([,;:!?…—–)”"»]+(?=\s|$)|[.।]+$|(?<!\S)[(“"«¿¡]+)""")
"""A full stop inside a sentence belongs to an abbreviation or a number, which espeak-ng reads."""
_OTHER_LANGUAGE: Final = re.compile(r"\([^)]*\)")
"""espeak-ng's remark that the words that follow are of another language."""


def _pattern(table: Mapping[str, str]) -> re.Pattern[str]:
    return re.compile("|".join(map(re.escape, sorted(table, key=len, reverse=True))))


_TABLES: Final = {"en-US": _TIED | _ENGLISH | _AMERICAN, "en-GB": _TIED | _ENGLISH | _BRITISH}
_PATTERNS: Final = {language: _pattern(table) for language, table in _TABLES.items()}
_TIED_PATTERN: Final = _pattern(_TIED)

LANGUAGES: Final = frozenset(("en-US", "en-GB", "es", "fr-FR", "hi", "it", "pt-BR"))
"""The tags of Kokoro's voices whose letters become symbols here."""


def symbols(sentence: str, language: str) -> str:
    """Return the sentence in Kokoro's symbols; empty if nothing in it can be said.

    language: one of `LANGUAGES`.

    Raises:
        EngineUnavailable: espeak-ng is missing.
    """
    parts = [
        part.translate(_SIGNS) if i % 2 else _words(part, language)
        for i, part in enumerate(_SIGN.split(sentence))
    ]
    known = "".join(symbol for symbol in "".join(parts) if symbol in NUMBERS)
    return re.sub(" +", " ", known).strip() if any(map(str.isalpha, known)) else ""


def pieces(said: str) -> list[str]:
    """Return the symbols in pieces of at most `LIMIT`, cut after a sign, else at a space, else anywhere."""
    found = []
    while len(said) > LIMIT:
        head = said[:LIMIT]
        cut = max(head.rfind(sign) for sign in (", ", "; ", ": ", "— ")) + 1 or head.rfind(" ") + 1 or LIMIT
        found.append(head[:cut].strip())
        said = said[cut:].strip()
    return [*found, said] if said else found


def _words(text: str, language: str) -> str:
    """Return words in symbols, with a space at each end where the text has one."""
    if not text.strip():
        return " " if text else ""
    ipa = unicodedata.normalize("NFD", _OTHER_LANGUAGE.sub("", espeak.ipa(text.strip(), language)))
    table, pattern = _TABLES.get(language, _TIED), _PATTERNS.get(language, _TIED_PATTERN)
    said = pattern.sub(lambda found: table[found.group()], ipa)
    return f"{text[:1].isspace() * ' '}{said}{text[-1:].isspace() * ' '}"
