"""Check whether a voice can read a text at all: it may be in another script than the voice's.

is_speakable("Расскажите о себе.", "en-US")                        # False: an English voice is silent there
"""

from __future__ import annotations

import unicodedata
from collections import Counter
from typing import Final

from voice.text.languages import canonical_tag, primary_language

# A text needs only a share in its voice's script: technical questions are full of Latin names.
OWN_SCRIPT_SHARE: Final = 0.25

UNSPACED_LANGUAGES: Final = frozenset(("ja", "km", "lo", "my", "th", "yue", "zh"))
"""Written without spaces between words."""


_LANGUAGES_BY_SCRIPT: Final = {
    "latin": """
        af az bs ca cs cy da de en eo es et eu fi fil fr ga gd gl gn ha haw hr ht hu ia id ig is it jv la lb
        lt lv mi ms mt nb nl nn no oc om pl pt qu ro rw sk sl sm so sq su sv sw tk tl tr uz vi
        xh yo zu ku sr kk
    """,
    "cyrillic": "ru uk be bg mk sr kk ky mn tt ba tg uz",
    "greek": "el grc",
    "armenian": "hy hyw",
    "georgian": "ka",
    "hebrew": "he yi",
    "arabic": "ar fa ur ps sd ug ku",
    "devanagari": "hi mr ne sa kok bho mai",
    "bengali": "bn as bpy",
    "gurmukhi": "pa",
    "gujarati": "gu",
    "oriya": "or",
    "tamil": "ta",
    "telugu": "te",
    "kannada": "kn",
    "malayalam": "ml",
    "sinhala": "si",
    "thai": "th",
    "lao": "lo",
    "myanmar": "my shn",
    "khmer": "km",
    "ethiopic": "am ti",
    "han": "zh cmn yue hak ja ko",
    "hiragana": "ja",
    "katakana": "ja",
    "hangul": "ko",
}
_SCRIPT_SUBTAGS: Final = {"latn": "latin", "cyrl": "cyrillic", "arab": "arabic", "deva": "devanagari"}

# The script for first words of Unicode names that are not the script.
_SCRIPT_BY_FIRST_WORD: Final = {"cjk": "han", "ideographic": "han", "katakana-hiragana": "katakana"}
_NO_SCRIPTS: Final = frozenset({"feminine", "masculine", "micro", "modifier"})
_WIDTHS: Final = ("fullwidth", "halfwidth")


def scripts_of(text: str) -> Counter[str]:
    """Count the letters of each script in `text`, as {"latin": 12, "han": 3}; only letters count."""
    scripts: Counter[str] = Counter()
    for char, count in Counter(text).items():
        if unicodedata.category(char)[0] == "L" and (script := _script(char)):
            scripts[script] += count
    return scripts


def scripts_for(language: str) -> frozenset[str]:
    """The scripts that `language` is written in; empty for a language that this table lacks."""
    for subtag in canonical_tag(language).split("-")[1:]:
        if subtag in _SCRIPT_SUBTAGS:
            return frozenset({_SCRIPT_SUBTAGS[subtag]})
    return _SCRIPTS_BY_LANGUAGE.get(primary_language(language), frozenset())


def is_speakable(text: str, language: str) -> bool:
    """Whether a voice of `language` can say `text`.

    A quarter of the letters in the language's own script is enough; a text without letters needs a digit. An
    unknown language may be written in any script.
    """
    scripts = scripts_of(text)
    n_letters = scripts.total()
    if not n_letters:
        return any(char.isalnum() for char in text)
    own = scripts_for(language)
    return not own or sum(scripts[script] for script in own) >= OWN_SCRIPT_SHARE * n_letters


def language_by_script(text: str) -> str:
    """Return the language that most texts in this script are in; "" for Latin and for unknown scripts.

    Japanese is told from Chinese by its kana.
    """
    scripts = scripts_of(text)
    if scripts["hiragana"] + scripts["katakana"]:
        return "ja"
    most = max(scripts, key=lambda script: scripts[script], default="latin")
    return "" if most == "latin" else _LANGUAGES_BY_SCRIPT.get(most, "").partition(" ")[0]


def _script(char: str) -> str | None:
    words = unicodedata.name(char, "").lower().split()
    if words and words[0] in _WIDTHS:
        words = words[1:]
    if not words:
        return None
    script = _SCRIPT_BY_FIRST_WORD.get(words[0], words[0])
    return None if script in _NO_SCRIPTS else script


def _by_language() -> dict[str, frozenset[str]]:
    languages = {language for names in _LANGUAGES_BY_SCRIPT.values() for language in names.split()}
    return {
        language: frozenset(
            script for script, names in _LANGUAGES_BY_SCRIPT.items() if language in names.split()
        )
        for language in languages
    }


_SCRIPTS_BY_LANGUAGE: Final = _by_language()
