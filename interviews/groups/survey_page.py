"""The page on which owners say what candidates are asked. It shows no declaration, and none is reachable."""

from typing import Any

from django import forms
from django.contrib import admin
from django.http import HttpRequest
from django.template.loader import render_to_string
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from unfold.decorators import display

from accounts import access
from accounts.scoped_admin import ScopedModelAdmin
from interviews.actions import groups
from interviews.groups.forms import SurveyForm
from interviews.models import GroupSurvey
from interviews.texts.groups import questions


@admin.register(GroupSurvey)
class GroupSurveyAdmin(ScopedModelAdmin):
    form = SurveyForm
    fields = ["organisation", "is_asked", "text", "shown"]
    readonly_fields = ["shown"]
    list_display = ["organisation", "is_asked"]
    list_select_related = ["organisation"]
    reading_roles = writing_roles = access.OWNERS

    def get_readonly_fields(self, request: HttpRequest, obj: GroupSurvey | None = None) -> list[str]:
        return [*self.readonly_fields, *(["organisation"] if obj else [])]

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """It is switched off instead: what candidates said until then is still counted."""
        return False

    def save_model(self, request: HttpRequest, obj: GroupSurvey, form: forms.ModelForm, change: bool) -> None:
        groups.save_survey(survey=obj, by=request.user, now=timezone.now())

    @display(description=_("what candidates read"))
    def shown(self, survey: GroupSurvey) -> str:
        context = {"questions": questions(survey.text)}
        return render_to_string("admin/interviews/groupsurvey/questions.html", context)
