"""Admin page: search in what candidates said and typed."""

from datetime import date, datetime, time, timedelta

from django import forms
from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from unfold.widgets import INPUT_CLASSES, UnfoldAdminTextInputWidget

from accounts import access
from accounts.audit.doors import Kind, leaves
from interviews.models import Interview, Session
from interviews.queries import transcript_search
from interviews.queries.transcript_search import LONGEST_QUERY, MOST, Limits
from voice.encryption import keys

MOST_INTERVIEWS = 500
"""Interviews that a part of a title may name. One who means more leaves the field empty."""
LAST_DAY = date.max - timedelta(days=2)


class _Day(forms.DateInput):
    """The browser's own field for a day, which needs no script."""

    input_type = "date"

    def __init__(self) -> None:
        super().__init__(format="%Y-%m-%d", attrs={"class": " ".join(INPUT_CLASSES)})


class SearchForm(forms.Form):
    """What is looked for, and where."""

    q = forms.CharField(
        label=_("Words"),
        required=False,
        max_length=LONGEST_QUERY,
        widget=UnfoldAdminTextInputWidget(attrs={"type": "search", "autofocus": True}),
    )
    interview = forms.CharField(
        label=_("Interview"),
        required=False,
        max_length=200,
        widget=UnfoldAdminTextInputWidget(attrs={"placeholder": _("a part of its title")}),
    )
    since = forms.DateField(label=_("From"), required=False, widget=_Day())
    until = forms.DateField(label=_("To"), required=False, widget=_Day())


@leaves(Kind.LISTED)
def search(request: HttpRequest) -> HttpResponse:
    """Show the newest answers with the words. Nothing is written, so the address can be kept and shared."""
    form = SearchForm(request.GET or None)
    words = form.cleaned_data["q"] if form.is_valid() else ""
    context = {
        **admin.site.each_context(request),
        "title": _("Search"),
        "form": form,
        "words": words,
        "found": _found(request, form, words) if words else None,
        "most": MOST,
        "has_encrypted": keys.are_used(),
    }
    return TemplateResponse(request, "admin/interviews/search/search.html", context)


def _found(request: HttpRequest, form: SearchForm, words: str) -> transcript_search.Found:
    user = request.user
    own = None if access.is_unlimited(user) else access.organisation_ids(user)
    sessions = access.scoped(Session.objects.counted(), user, path="invitation__interview__organisation_id")
    limits = Limits(
        interview_ids=_interviews(request, form.cleaned_data["interview"]),
        since=_midnight(form.cleaned_data["since"]),
        until=_midnight(form.cleaned_data["until"], days_later=1),
    )
    return transcript_search.newest(
        words,
        sessions=sessions,
        organisation_ids=own,
        is_by_assignment=access.is_by_assignment(user),
        limits=limits,
    )


def _interviews(request: HttpRequest, title: str) -> list | None:
    if not title:
        return None
    rows = access.scoped(Interview.objects.all(), request.user, path="organisation_id")
    return list(rows.filter(title__icontains=title).values_list("pk", flat=True)[:MOST_INTERVIEWS])


def _midnight(day: date | None, *, days_later: int = 0) -> datetime | None:
    if day is None:
        return None
    return timezone.make_aware(datetime.combine(min(day, LAST_DAY) + timedelta(days=days_later), time.min))
