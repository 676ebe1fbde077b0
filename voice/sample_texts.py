"""A sentence to hear a voice by, in its own language."""

from typing import Final

from voice.engines.base import primary_language

_TEXTS: Final = {
    "ar": "مرحبا، هكذا يبدو صوتي.",
    "cs": "Dobrý den, takhle zní můj hlas.",
    "da": "Hej, sådan lyder min stemme.",
    "de": "Guten Tag, so klingt meine Stimme.",
    "el": "Γεια σας, έτσι ακούγεται η φωνή μου.",
    "en": "Hello, this is how my voice sounds.",
    "es": "Hola, así suena mi voz.",
    "fi": "Hei, tältä ääneni kuulostaa.",
    "fr": "Bonjour, voici le son de ma voix.",
    "hi": "नमस्ते, मेरी आवाज़ ऐसी है।",
    "hu": "Jó napot, így szól a hangom.",
    "it": "Buongiorno, ecco come suona la mia voce.",
    "ja": "こんにちは、これが私の声です。",
    "ko": "안녕하세요, 제 목소리는 이렇습니다.",
    "nl": "Goedendag, zo klinkt mijn stem.",
    "no": "Hei, slik høres stemmen min ut.",
    "pl": "Dzień dobry, tak brzmi mój głos.",
    "pt": "Olá, é assim que soa a minha voz.",
    "ro": "Bună ziua, așa sună vocea mea.",
    "ru": "Здравствуйте, так звучит мой голос.",
    "sv": "Hej, så här låter min röst.",
    "tr": "Merhaba, sesim böyle duyuluyor.",
    "uk": "Добрий день, ось так звучить мій голос.",
    "vi": "Xin chào, đây là giọng nói của tôi.",
    "zh": "你好，这就是我的声音。",
}
_DIGITS: Final = "1, 2, 3, 4, 5."
"""Every voice reads these in its own language."""


def sample_text(language: str) -> str:
    """A short greeting in `language`; digits where we have none."""
    return _TEXTS.get(primary_language(language), _DIGITS)
