"""The drop-down of voices. Each carries its language, so the page can offer only those that fit."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _
from unfold.widgets import UnfoldAdminSelectWidget

from interviews.texts.languages import LANGUAGES
from voice.speech import voices
from voice.text.languages import primary_language
from voice.types import Voice


class VoiceSelect(UnfoldAdminSelectWidget):
    """Select whose options carry `data-language`, for static/admin/interviews/language.js to filter by."""

    def create_option(self, name: str, value: Any, *args: Any, **kwargs: Any) -> dict:
        option = super().create_option(name, value, *args, **kwargs)
        if language := getattr(value, "language", ""):
            option["attrs"]["data-language"] = language
        return option


class VoiceId(str):
    """A voice's id with its language."""

    language: str

    @classmethod
    def of(cls, voice: Voice) -> "VoiceId":
        voice_id = cls(voice.id)
        voice_id.language = primary_language(voice.language)
        return voice_id


def choices() -> list[tuple[str, Any]]:
    """Return "best for the language" first, then every voice of a language offered for interviews."""
    offered = {code for code, _name in LANGUAGES}
    rows = [(VoiceId.of(voice), _label(voice)) for voice in voices.known()]
    return [("", _("Best for the language")), *(row for row in rows if row[0].language in offered)]


def _label(voice: Voice) -> str:
    kind = _("last-resort voice") if voice.quality == "last_resort" else voice.engine.capitalize()
    return f"{voice.name} · {voice.language} · {kind}"


class VoiceField(forms.ChoiceField):
    """A known voice, or empty for the best one. A saved voice can still be chosen after it is uninstalled."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(choices=choices, required=False, widget=VoiceSelect, **kwargs)

    def keep(self, voice_id: str) -> None:
        """Offer this voice even if it is not installed."""
        rows = self._rows()
        if voice_id not in {value for value, _name in rows}:
            self.choices = [*rows, (voice_id, _("%s · not installed here") % voice_id)]

    def language_of(self, voice_id: str) -> str | None:
        """Return the language of the voice, if it is known."""
        known = (value for value, _name in self._rows() if isinstance(value, VoiceId))
        return next((value.language for value in known if value == voice_id), None)

    def _rows(self) -> list[tuple[str, Any]]:
        choices: Any = self.choices
        return list(choices)
