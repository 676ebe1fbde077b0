"""The questions on an interview's page."""

from typing import Any

from django import forms
from django.http import HttpRequest
from django.template.loader import render_to_string
from django.utils.translation import gettext_lazy as _
from unfold.admin import TabularInline
from unfold.decorators import display
from unfold.forms import PaginationInlineFormSet
from unfold.widgets import UnfoldAdminIntegerFieldWidget, UnfoldAdminTextareaWidget

from accounts.scoped_admin import PartOfParent
from interviews.actions import follow_ups
from interviews.actions.interviews import speech_name
from interviews.admin import question_audio
from interviews.models import Interview, Question

LAST = 2**15 - 1  # the column's maximum


class QuestionForm(forms.ModelForm):
    position = forms.IntegerField(
        label=_("Order"), required=False, min_value=0, max_value=LAST, widget=UnfoldAdminIntegerFieldWidget
    )

    class Meta:
        widgets = {"text": UnfoldAdminTextareaWidget(attrs={"rows": 2})}
        help_texts = {
            "follow_ups": _(
                "So many questions at most that a language model asks about the answer; 0: none."
            ),
        }
        labels = {
            "text": _("Question"),
            "think_seconds": _("Think time (s)"),
            "answer_limit_seconds": _("Answer limit (s)"),
            "retakes": _("Retakes"),
            "follow_ups": _("Follow-ups"),
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.instance.pk is None:
            self.initial.pop("position", None)

    def clean_position(self) -> int:
        """Put a question without a position last."""
        position = self.cleaned_data["position"]
        return LAST if position is None else position


class QuestionFormSet(PaginationInlineFormSet):
    """Save the questions at positions 1, 2, 3 … in the order given, new ones last."""

    def save(self, commit: bool = True) -> list[Question]:
        rows = super().save(commit)
        for position, question in enumerate(self._in_order(), start=1):
            question.position = position
            Question.objects.filter(pk=question.pk).exclude(position=position).update(position=position)
        return rows

    def _in_order(self) -> list[Question]:
        kept = [form for form in self.forms if form not in self.deleted_forms and form.instance.pk]
        return [form.instance for form in sorted(kept, key=lambda form: form.cleaned_data["position"])]


class QuestionInline(PartOfParent, TabularInline):
    model = Question
    form = QuestionForm
    formset = QuestionFormSet
    fields = ["position", "move", "text", "think_seconds", "answer_limit_seconds", "retakes", "tools"]
    readonly_fields = ["move", "listen", "tools"]
    ordering_field = "position"
    hide_title = True

    def get_extra(self, request: HttpRequest, obj: Interview | None = None, **kwargs: Any) -> int:
        return 0 if obj else 1

    def get_fields(self, request: HttpRequest, obj: Interview | None = None) -> list[str]:
        """Return the columns. Who only reads moves nothing, and keeps nothing for the bank.

        Without a language model that the organisation uses there are no follow-ups.
        """
        fields = list(self.fields)
        if obj is not None and follow_ups.is_offered(obj.organisation):
            fields.insert(-1, "follow_ups")
        if self.has_change_permission(request, obj):
            return fields
        return [{"tools": "listen"}.get(name, name) for name in fields if name != "move"]

    @display(description=_("Move"))
    def move(self, question: Question) -> str:
        return render_to_string("admin/interviews/interview/move.html")

    @display(description=_("Spoken"))
    def tools(self, question: Question) -> str:
        context = {"question": question, "listen": self.listen(question)}
        return render_to_string("admin/interviews/interview/question_tools.html", context)

    @display(description=_("Spoken"))
    def listen(self, question: Question) -> str:
        if question.pk is None:
            return _("Save, then listen.")
        return question_audio.render(question.interview, speech_name(question.interview, question.text))
