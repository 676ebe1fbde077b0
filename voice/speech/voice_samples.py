"""A sample sentence in each language for trying a voice."""

from typing import Final

from voice.text.languages import primary_language

# For the languages of interviews and of the engines' better voices.
_SAMPLES: Final = {
    "ar": "مرحباً، هكذا أبدو عندما أتحدث.",
    "cs": "Dobrý den, takhle zním, když mluvím.",
    "da": "Goddag, sådan lyder jeg, når jeg taler.",
    "de": "Guten Tag, so klinge ich, wenn ich spreche.",
    "el": "Γεια σας, έτσι ακούγομαι όταν μιλάω.",
    "en": "Hello, this is how I sound when I speak.",
    "es": "Hola, así sueno cuando hablo.",
    "fi": "Hei, tältä kuulostan, kun puhun.",
    "fr": "Bonjour, voici comment je parle.",
    "hi": "नमस्ते, बोलते समय मेरी आवाज़ ऐसी है।",
    "hu": "Jó napot, így hangzom, amikor beszélek.",
    "it": "Buongiorno, ecco come parlo.",
    "ja": "こんにちは。私はこのような声で話します。",
    "ko": "안녕하세요, 제 목소리는 이렇습니다.",
    "nl": "Goedendag, zo klink ik als ik spreek.",
    "no": "God dag, slik høres jeg ut når jeg snakker.",
    "pl": "Dzień dobry, tak brzmię, kiedy mówię.",
    "pt": "Olá, é assim que eu falo.",
    "ro": "Bună ziua, așa sun când vorbesc.",
    "ru": "Здравствуйте, вот так я говорю.",
    "sv": "God dag, så här låter jag när jag talar.",
    "tr": "Merhaba, konuşurken sesim böyle.",
    "uk": "Добрий день, ось так я розмовляю.",
    "vi": "Xin chào, đây là giọng nói của tôi.",
    "zh": "你好，我说话的声音是这样的。",
}


def sample_text(language: str) -> str | None:
    """Return a sample sentence for voices of that language, if there is one."""
    return _SAMPLES.get(primary_language(language))
