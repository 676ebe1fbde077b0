"""The languages in which the candidate's pages are written."""

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
