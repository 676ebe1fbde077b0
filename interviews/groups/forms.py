"""The form for candidates, and the one for owners."""

from collections.abc import Mapping, Sequence
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from interviews.texts.groups import BadGroups, GroupQuestion, tidy


class DeclarationForm(forms.Form):
    """A choice for each question. What is not said is the first choice, and chosen already."""

    def __init__(self, data: Any = None, *, asked: Sequence[GroupQuestion]) -> None:
        super().__init__(data)
        self._keys = {f"question_{n}": question.key for n, question in enumerate(asked)}
        for name, question in zip(self._keys, asked, strict=True):
            label: Any = question.text
            self.fields[name] = forms.ChoiceField(
                label=label,
                choices=[("", _("I prefer not to say")), *question.choices],
                widget=forms.RadioSelect,
                initial="",
                required=False,
            )

    def named(self) -> Mapping[str, str]:
        """Return {question's key: choice's key} of what was said. The form is valid."""
        return {key: value for name, key in self._keys.items() if (value := self.cleaned_data[name])}


class SurveyForm(forms.ModelForm):
    def clean_text(self) -> str:
        try:
            return tidy(self.cleaned_data["text"])
        except BadGroups as error:
            raise ValidationError(str(error)) from error
