"""Whether a voice can read a text at all: it may be markup, or in another script than the voice's.

looks_like_markup('<speak>Hello<break time="1s"/></speak>')        # True: it would be read aloud
is_speakable("Расскажите о себе.", "en-US")                        # False: an English voice is silent there
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from typing import Final

from voice.text.languages import primary_language

# A text needs some of its voice's script, not only it: technical questions are full of Latin names.
OWN_SCRIPT_SHARE: Final = 0.25

# Names of the elements of SSML 1.1 (W3C, 2010), of its dialects, and of HTML as people paste it.
_ELEMENTS: Final = """
    speak break prosody say-as emphasis voice phoneme sub audio mark lang p s w token lexicon lookup meta
    metadata desc b i u em strong br hr span div a ul ol li h1 h2 h3 h4 table tr td script style html
    head body img
"""
_ELEMENT_NAMES: Final = frozenset(_ELEMENTS.split())

# "<name ...>" without blank after the "<"; bounded, so the search takes time by the length of the text only.
_TAG: Final = re.compile(r"<(/?)([A-Za-z][\w:.-]{0,40}+)((?:\s[^<>]{0,1000}+)?/?)>")
_ATTRIBUTE: Final = re.compile(r"\s[\w:.-]{1,40}\s*=\s*[\"']")
_PROLOGUE: Final = re.compile(r"<\?xml\b|<!--|<!\[CDATA\[|<!DOCTYPE\b", re.IGNORECASE)

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

# How Unicode's names begin where that is not the script.
_SCRIPT_BY_FIRST_WORD: Final = {"cjk": "han", "ideographic": "han", "katakana-hiragana": "katakana"}
_NO_SCRIPTS: Final = frozenset({"feminine", "masculine", "micro", "modifier"})
_WIDTHS: Final = ("fullwidth", "halfwidth")


def looks_like_markup(text: str) -> bool:
    """Whether `text` is SSML, HTML or XML.  Spoken text is plain text, so callers refuse it.

    Elements of SSML and HTML count, and anything with attributes or a closing tag; "a < b", "<3",
    "List<String>" and "<name>" do not.
    """
    if "<" not in text:
        return False
    return bool(_PROLOGUE.search(text)) or any(_is_tag(found) for found in _TAG.finditer(text))


def scripts_of(text: str) -> Counter[str]:
    """How many letters of each script `text` has, as {"latin": 12, "han": 3}; signs and digits have none."""
    scripts: Counter[str] = Counter()
    for char, count in Counter(text).items():
        if unicodedata.category(char)[0] == "L" and (script := _script(char)):
            scripts[script] += count
    return scripts


def scripts_for(language: str) -> frozenset[str]:
    """The scripts that `language` is written in; empty for a language that this table lacks."""
    subtags = language.replace("_", "-").lower().split("-")
    for subtag in subtags[1:]:
        if subtag in _SCRIPT_SUBTAGS:
            return frozenset({_SCRIPT_SUBTAGS[subtag]})
    return _SCRIPTS_BY_LANGUAGE.get(primary_language(language), frozenset())


def is_speakable(text: str, language: str) -> bool:
    """Whether a voice of `language` can say `text`.

    A quarter of the letters in the language's own script is enough; a text without letters needs a digit.  An
    unknown language is written in any script.
    """
    scripts = scripts_of(text)
    n_letters = scripts.total()
    if not n_letters:
        return any(char.isalnum() for char in text)
    own = scripts_for(language)
    return not own or sum(scripts[script] for script in own) >= OWN_SCRIPT_SHARE * n_letters


def _is_tag(found: re.Match[str]) -> bool:
    closing, name, rest = found.group(1), found.group(2).lower(), found.group(3) or ""
    return bool(
        closing or name in _ELEMENT_NAMES or ":" in name or rest.endswith("/") or _ATTRIBUTE.search(rest)
    )


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
