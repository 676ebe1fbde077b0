"""The languages of interviews, and those of the pages around them."""

from django.conf import settings
from django.utils.translation import gettext_lazy as _

LANGUAGES = [
    ("en", _("English")),
    ("de", _("German")),
    ("es", _("Spanish")),
    ("fr", _("French")),
    ("it", _("Italian")),
    ("nl", _("Dutch")),
    ("pl", _("Polish")),
    ("pt", _("Portuguese")),
    ("hi", _("Hindi")),
    ("ja", _("Japanese")),
    ("zh", _("Chinese")),
]
"""Languages offered for interviews. The engines decide whether they can be synthesised and transcribed."""


def of_pages(language: str) -> str:
    """Return the language of the pages around an interview in this language: English, if they lack it."""
    return language if language in dict(settings.LANGUAGES) else settings.LANGUAGE_CODE
