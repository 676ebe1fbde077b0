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
from interviews.models.question import check_script

LAST = 2**15 - 1  # the column's maximum


class ScriptField(forms.CharField):
    """Scripted follow-ups, one a line. Its value is their list."""

    def prepare_value(self, value: Any) -> Any:
        return "\n".join(value) if isinstance(value, list) else value

    def clean(self, value: Any) -> Any:
        """Return the lines without empty ones. Raises ValidationError."""
        script = _lines(super().clean(value))
        check_script(script)
        return script

    def has_changed(self, initial: Any, data: Any) -> bool:
        """Whether other questions came than there were; browsers send other line ends."""
        return _lines(data or "") != list(initial or [])


def _lines(text: str) -> list[str]:
    lines = (" ".join(line.split()) for line in text.splitlines())
    return [line for line in lines if line]


class QuestionForm(forms.ModelForm):
    position = forms.IntegerField(
        label=_("Order"), required=False, min_value=0, max_value=LAST, widget=UnfoldAdminIntegerFieldWidget
    )
    scripted_follow_ups = ScriptField(
        label=_("Scripted follow-ups"),
        required=False,
        widget=UnfoldAdminTextareaWidget(attrs={"rows": 2}),
        help_text=_(
            "Up to three, one a line. They are asked word for word after the answer. Where a language model "
            "asks too, they come in its place when it is late or has nothing to ask."
        ),
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
    fields = [
        *("position", "move", "text", "scripted_follow_ups"),
        *("think_seconds", "answer_limit_seconds", "retakes", "tools"),
    ]
    readonly_fields = ["move", "script", "listen", "tools"]
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
        read = {"tools": "listen", "scripted_follow_ups": "script"}
        return [read.get(name, name) for name in fields if name != "move"]

    @display(description=_("Move"))
    def move(self, question: Question) -> str:
        return render_to_string("admin/interviews/interview/move.html")

    @display(description=_("Scripted follow-ups"))
    def script(self, question: Question) -> str:
        return "\n".join(question.scripted_follow_ups) or "–"

    @display(description=_("Spoken"))
    def tools(self, question: Question) -> str:
        context = {"question": question, "listen": self.listen(question)}
        return render_to_string("admin/interviews/interview/question_tools.html", context)

    @display(description=_("Spoken"))
    def listen(self, question: Question) -> str:
        if question.pk is None:
            return _("Save, then listen.")
        interview = question.interview
        spoken = [
            question_audio.render(interview, speech_name(interview, text))
            for text in (question.text, *question.scripted_follow_ups)
        ]
        return render_to_string("admin/interviews/interview/spoken.html", {"spoken": spoken})
