"""Admin pages: candidates of all interviews, and one candidate's history."""

from typing import Any
from uuid import UUID

from django import forms
from django.contrib import admin
from django.http import Http404, HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils.translation import gettext_lazy as _
from unfold.widgets import UnfoldAdminTextInputWidget

from accounts import access
from accounts.audit.doors import Kind, leaves
from interviews.models import Invitation
from interviews.models.invitation import Invitations
from interviews.queries import candidates

TO_ORGANISATION = "interview__organisation_id"
ON_A_PAGE = 50
LABELS = {"pending": "info", "started": "warning", "finished": "success", "revoked": "danger"}


class CandidatesForm(forms.Form):
    """Who is looked for. before: the last candidate of the page before."""

    q = forms.CharField(
        label=_("Name or e-mail"),
        required=False,
        max_length=200,
        widget=UnfoldAdminTextInputWidget(attrs={"type": "search"}),
    )
    before = forms.UUIDField(required=False, widget=forms.HiddenInput)


@leaves(Kind.LISTED)
def candidates_list(request: HttpRequest) -> HttpResponse:
    """List each candidate once, the one that was invited last first."""
    form = CandidatesForm(request.GET)
    asked = form.cleaned_data if form.is_valid() else {}
    own = _readable(request)
    last: UUID | None = asked.get("before")
    before = own.filter(pk=last).first() if last else None
    words = asked.get("q", "")
    found = candidates.page_of(own, words=words, before=before, length=ON_A_PAGE + 1)
    shown = found[:ON_A_PAGE]
    counts = candidates.count_invitations(shown, among=own)
    context = {
        **admin.site.each_context(request),
        "title": _("Candidates"),
        "form": form,
        "words": words,
        "rows": [(row, counts[row.pk], LABELS.get(row.status, "")) for row in shown],
        "next": shown[-1].pk if len(found) > ON_A_PAGE else None,
        "is_first": before is None,
    }
    return TemplateResponse(request, "admin/interviews/search/candidates.html", context)


@leaves(Kind.READ)
def candidate(request: HttpRequest, invitation_id: UUID) -> HttpResponse:
    """Show every interview that a candidate was invited to. The address names no person."""
    own = _readable(request)
    invitation = own.select_related("interview__organisation").filter(pk=invitation_id).first()
    if invitation is None:
        raise Http404
    rows = list(candidates.history(invitation, among=own))
    colleagues = {row.created_by_id: row.created_by for row in rows if row.created_by is not None}
    context = {
        **admin.site.each_context(request),
        "title": rows[0].candidate_name,
        "subtitle": rows[0].candidate_email,
        "candidate": rows[0],
        "organisation": invitation.interview.organisation,
        "rows": [(row, getattr(row, "session", None), LABELS.get(row.status, "")) for row in rows],
        "colleagues": list(colleagues.values()),
        "other_names": sorted({row.candidate_name for row in rows} - {rows[0].candidate_name}),
    }
    return TemplateResponse(request, "admin/interviews/search/candidate.html", context)


def _readable(request: HttpRequest) -> Invitations:
    rows: Any = access.scoped(Invitation.objects.counted(), request.user, path=TO_ORGANISATION)
    return rows
