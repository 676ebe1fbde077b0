"""Names of spoken texts in addresses, storage and the cache. Nobody can guess the name of a text.

A plain hash of a text would tell anybody who tries it whether the text was spoken here. So the names are
keyed with `SECRET_KEY`, and each tenant has names of its own: how soon speech comes tells nothing about the
texts of others. With another `SECRET_KEY` texts are rendered anew; what has an old name stays where it is.
"""

from typing import Final

from django.utils.crypto import salted_hmac

from voice.text.languages import hyphenated
from voice.text.normalisation import normalise

_SEPARATOR = "\x1f"
"""A unit separator cannot stand in normalised text, so no two lists of parts join to the same string."""


def secret_name(kind: str, *parts: str) -> str:
    """Return the name (64 hex digits) of what is made of `parts`, which hold no control characters.

    Source: RFC 2104 (HMAC) with SHA-256.
    """
    value = _SEPARATOR.join(parts)
    return salted_hmac(f"voice.speech.{kind}", value, algorithm="sha256").hexdigest()


SOUND: Final = "-20 dBFS"
"""A part of every name of speech. Change it when voices sound otherwise, so that nothing older is played."""


def text_name(text: str, *, voice: str, language: str, tenant: str) -> str:
    """Return the name of a text in a voice and a language, the same for texts that sound the same."""
    return secret_name("text", tenant, normalise(text), voice, hyphenated(language).lower(), SOUND)
