"""The form that asks by which model answers are transcribed again."""

from typing import Any, cast

from django import forms
from django.utils.translation import gettext_lazy as _
from unfold.widgets import UnfoldAdminSelectWidget, UnfoldBooleanSwitchWidget

from interviews.actions.errors import ActionRefused
from interviews.models import Session
from interviews.queries import recognition
from voice.types import EngineModel


class AgainForm(forms.Form):
    """Which model, and whether what it recognises is used at once."""

    model = forms.ChoiceField(
        label=_("Model"),
        help_text=_("Those that run now and know the language of the interview."),
        widget=UnfoldAdminSelectWidget,
    )
    is_to_be_current = forms.BooleanField(
        label=_("Use it as soon as it is there"),
        help_text=_("Not where words were corrected. Every version is kept, and you can choose another one."),
        required=False,
        initial=True,
        widget=UnfoldBooleanSwitchWidget,
    )

    def __init__(self, data: Any, *, models: list[EngineModel]) -> None:
        super().__init__(data)
        self._models = {f"{model.engine}:{model.model}": model for model in models}
        cast("forms.ChoiceField", self.fields["model"]).choices = [
            (key, str(model)) for key, model in self._models.items()
        ]

    @property
    def chosen(self) -> dict[str, Any]:
        """The fields as `actions.retranscription` takes them."""
        return self.cleaned_data | {"model": self._models[self.cleaned_data["model"]]}

    def refuse(self, refused: ActionRefused) -> None:
        """Show why it was refused, at the field that it is about."""
        self.add_error(*refused.at(self.fields))


def models_for(sessions: list[Session]) -> list[EngineModel]:
    """Return the models that recognise the languages of all these interviews."""
    languages = {session.agreed.language for session in sessions}
    first, *others = [recognition.models_for(language) for language in sorted(languages)]
    return [model for model in first if all(model in other for other in others)]
