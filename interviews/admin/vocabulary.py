"""Vocabularies: of an organisation on their own page, of an interview on the interview's."""

from typing import Any

from django import forms
from django.contrib import admin
from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.http import HttpRequest
from django.template.loader import render_to_string
from django.utils import timezone
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _
from unfold.decorators import display

from accounts import access
from accounts.scoped_admin import ScopedModelAdmin, ScopedRelatedFilter
from interviews.actions import vocabularies
from interviews.models import Vocabulary
from interviews.texts.vocabulary import BadVocabulary, hot_words, terms, tidy

SCRIPT = forms.Script("admin/interviews/vocabulary.js", type="module")


def cleaned(text: str) -> str:
    """Return a vocabulary as it is kept. Raises ValidationError."""
    try:
        return tidy(text)
    except BadVocabulary as error:
        raise ValidationError(str(error)) from error


def try_panel(text_id: str, *, further: str = "") -> SafeString:
    """Render the buttons under a vocabulary. further: a vocabulary that the recogniser gets as well."""
    context = {"text_id": text_id, "hot_words": hot_words(further)}
    return render_to_string("admin/interviews/vocabulary/try.html", context)


class VocabularyForm(forms.ModelForm):
    def clean_text(self) -> str:
        return cleaned(self.cleaned_data["text"])


@admin.register(Vocabulary)
class VocabularyAdmin(ScopedModelAdmin):
    """Names and terms of an organisation, one vocabulary a language."""

    form = VocabularyForm
    fields = [("organisation", "language"), "text", "try_out"]
    readonly_fields = ["try_out"]
    list_display = ["language", "organisation", "count"]
    list_filter = ["language", ("organisation", ScopedRelatedFilter)]
    list_select_related = ["organisation"]
    reading_roles = access.WRITERS
    when_empty = _("Names and terms of your work: add them, and recognition writes them as you do.")

    class Media:
        js = [SCRIPT]

    def save_model(self, request: HttpRequest, obj: Vocabulary, form: forms.ModelForm, change: bool) -> None:
        vocabularies.save(vocabulary=obj, by=request.user, now=timezone.now())

    def delete_model(self, request: HttpRequest, obj: Vocabulary) -> None:
        vocabularies.delete(vocabulary=obj, by=request.user, now=timezone.now())

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Vocabulary]) -> None:
        for vocabulary in queryset:
            self.delete_model(request, vocabulary)

    @display(description=_("terms"))
    def count(self, vocabulary: Any) -> int:
        return len(terms(vocabulary.text))

    @display(description=_("try it"))
    def try_out(self, vocabulary: Any) -> str:
        return try_panel("id_text")
