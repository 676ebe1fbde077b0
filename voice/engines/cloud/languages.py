"""Language names and codes of vendors."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from voice.errors import LanguageUnsupported
from voice.text.languages import canonical_tag, primary_language

# ISO 639-1, ISO 639-2/T and the English name of each language Whisper knows. Source: openai/whisper,
# tokenizer.py.
_TABLE: Final = """
    en eng english, zh zho chinese, de deu german, es spa spanish, ru rus russian, ko kor korean,
    fr fra french, ja jpn japanese, pt por portuguese, tr tur turkish, pl pol polish, ca cat catalan,
    nl nld dutch, ar ara arabic, sv swe swedish, it ita italian, id ind indonesian, hi hin hindi,
    fi fin finnish, vi vie vietnamese, he heb hebrew, uk ukr ukrainian, el ell greek, ms msa malay,
    cs ces czech, ro ron romanian, da dan danish, hu hun hungarian, ta tam tamil, no nor norwegian,
    th tha thai, ur urd urdu, hr hrv croatian, bg bul bulgarian, lt lit lithuanian, la lat latin,
    mi mri maori, ml mal malayalam, cy cym welsh, sk slk slovak, te tel telugu, fa fas persian,
    lv lav latvian, bn ben bengali, sr srp serbian, az aze azerbaijani, sl slv slovenian, kn kan kannada,
    et est estonian, mk mkd macedonian, br bre breton, eu eus basque, is isl icelandic, hy hye armenian,
    ne nep nepali, mn mon mongolian, bs bos bosnian, kk kaz kazakh, sq sqi albanian, sw swa swahili,
    gl glg galician, mr mar marathi, pa pan punjabi, si sin sinhala, km khm khmer, sn sna shona,
    yo yor yoruba, so som somali, af afr afrikaans, oc oci occitan, ka kat georgian, be bel belarusian,
    tg tgk tajik, sd snd sindhi, gu guj gujarati, am amh amharic, yi yid yiddish, lo lao lao,
    uz uzb uzbek, fo fao faroese, ht hat haitian-creole, ps pus pashto, tk tuk turkmen, nn nno nynorsk,
    mt mlt maltese, sa san sanskrit, lb ltz luxembourgish, my mya myanmar, bo bod tibetan, tl tgl tagalog,
    mg mlg malagasy, as asm assamese, tt tat tatar, haw haw hawaiian, ln lin lingala, ha hau hausa,
    ba bak bashkir, jw jav javanese, su sun sundanese, yue yue cantonese
"""
_ROWS: Final = [row.split() for row in _TABLE.split(",")]
_CODES: Final = {spelling: code for code, *spellings in _ROWS for spelling in (code, *spellings)}
# Common tags for languages that the table knows by another one.
_SYNONYMS: Final = {"nb": "no", "iw": "he", "in": "id", "fil": "tl", "jv": "jw", "cmn": "zh"}


def iso_code(language: str) -> str:
    """Return ISO 639-1 of a tag, an ISO 639-2 code or an English name: "English", "eng", "en-US" give "en".

    Raises:
        LanguageUnsupported: a language that Whisper does not know.
    """
    name = language.strip().lower().replace(" ", "-")
    primary = primary_language(language)
    code = _CODES.get(name) or _CODES.get(_SYNONYMS.get(primary, primary))
    if code is None:
        raise LanguageUnsupported(f"{language!r} is no language this vendor hears; name another.")
    return code


def locale_in(locales: Iterable[str], language: str) -> str:
    """Return the one of `locales` that is `language`, else the first of the same primary language.

    Raises:
        LanguageUnsupported: there is none.
    """
    tag = canonical_tag(language)
    primary = primary_language(tag)
    for candidate in locales:
        if canonical_tag(candidate) == tag:
            return candidate
    for candidate in locales:
        if primary_language(candidate) in (primary, _SYNONYMS.get(primary)):
            return candidate
    raise LanguageUnsupported(f"{language!r} is no language this vendor hears; name another.")


def locale_of_voice(name: str) -> str:
    """The locale with which a vendor begins its voice's name: "de-DE-KatjaNeural" gives "de-DE"."""
    return "-".join(name.split("-")[:2])
