"""The rubric on an interview's page: its criteria, each with a sentence for every level."""

from collections.abc import Sequence
from typing import Any

from django import forms
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from unfold.admin import StackedInline
from unfold.forms import PaginationInlineFormSet
from unfold.widgets import (
    UnfoldAdminCheckboxSelectMultipleWidget,
    UnfoldAdminIntegerFieldWidget,
    UnfoldAdminTextareaWidget,
    UnfoldAdminTextInputWidget,
)

from accounts.scoped_admin import PartOfParent
from interviews.models import Criterion, Interview, Question
from interviews.models.rubric import MOST_LEVELS

LAST = 2**15 - 1  # the column's maximum
LONGEST_LEVEL = 300
EXAMPLES = {
    1: _("For example: names no situation of their own"),
    2: _("Describes a situation, but not what they did"),
    3: _("Says what they did and why"),
    4: _("Also weighs what came of it, and what they would do again"),
    5: _("Empty: there are four levels"),
}


class LevelsWidget(forms.MultiWidget):
    """A line for each level, with its number before it."""

    def __init__(self) -> None:
        lines = [
            UnfoldAdminTextInputWidget(
                attrs={
                    "prefix": str(level),
                    "aria-label": _("Level %d") % level,
                    "placeholder": example,
                    "maxlength": LONGEST_LEVEL,
                }
            )
            for level, example in EXAMPLES.items()
        ]
        super().__init__(lines)

    def decompress(self, value: list[str] | None) -> list[str]:
        return [*(value or []), *[""] * MOST_LEVELS][:MOST_LEVELS]


class LevelsField(forms.MultiValueField):
    """The sentences of the levels, without the empty ones at the end."""

    def __init__(self, **kwargs: Any) -> None:
        lines = [forms.CharField(max_length=LONGEST_LEVEL, required=False) for _level in EXAMPLES]
        super().__init__(lines, widget=LevelsWidget(), required=False, require_all_fields=False, **kwargs)

    def compress(self, data_list: Sequence[str]) -> list[str]:
        levels = list(data_list)
        while levels and not levels[-1]:
            levels.pop()
        return levels


class CriterionForm(forms.ModelForm):
    position = forms.IntegerField(
        label=_("Order"), required=False, min_value=0, max_value=LAST, widget=UnfoldAdminIntegerFieldWidget
    )
    levels = LevelsField(
        label=_("Levels"),
        help_text=_(
            "What an answer of each level is like, the lowest first. Write what one hears, not what one "
            "thinks of it. Two to five levels; four leave no comfortable middle."
        ),
    )
    questions = forms.ModelMultipleChoiceField(
        label=_("Questions about it"),
        queryset=Question.objects.none(),
        required=False,
        widget=UnfoldAdminCheckboxSelectMultipleWidget,
        help_text=_("None means all. Questions that are new here can be chosen after saving."),
    )

    class Meta:
        widgets = {"meaning": UnfoldAdminTextareaWidget(attrs={"rows": 2})}
        labels = {"name": _("Criterion"), "meaning": _("What it means")}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.instance.pk is None:
            self.initial.pop("position", None)

    def clean_position(self) -> int:
        """Put a criterion without a position last."""
        position = self.cleaned_data["position"]
        return LAST if position is None else position


class CriterionFormSet(PaginationInlineFormSet):
    """Save the criteria at positions 1, 2, 3 … in the order given, new ones last."""

    def add_fields(self, form: forms.Form, index: int | None) -> None:
        """Offer the interview's own questions."""
        super().add_fields(form, index)
        if "questions" in form.fields:
            form.fields["questions"].queryset = self.own_questions  # type: ignore[attr-defined]

    @property
    def own_questions(self) -> Any:
        return Question.objects.filter(interview=self.instance.pk)

    def save(self, commit: bool = True) -> list[Criterion]:
        rows = super().save(commit)
        kept = [form for form in self.forms if form not in self.deleted_forms and form.instance.pk]
        in_order = sorted(kept, key=lambda form: form.cleaned_data.get("position", LAST))
        for position, form in enumerate(in_order, start=1):
            Criterion.objects.filter(pk=form.instance.pk).exclude(position=position).update(position=position)
        return rows


class RubricInline(PartOfParent, StackedInline):
    model = Criterion
    form = CriterionForm
    formset = CriterionFormSet
    fields = ["position", "name", "meaning", "levels", "questions"]
    ordering_field = "position"
    hide_ordering_field = True
    tab = True
    verbose_name_plural = _("Rubric")

    def get_extra(self, request: HttpRequest, obj: Interview | None = None, **kwargs: Any) -> int:
        return 0
