"""On an interview's page: how well its reviewers agree, for owners."""

from typing import Any, cast
from uuid import UUID

from django import forms
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path
from django.utils.translation import gettext_lazy as _
from unfold.decorators import action

from accounts import access
from accounts.models import User
from accounts.scoped_admin import ScopedModelAdmin
from interviews.models import Interview
from interviews.queries import agreement


class AgreementPages(ScopedModelAdmin):
    """Base of the interviews' admin: the page of the agreement between reviewers."""

    def get_urls(self) -> list[URLPattern]:
        page = path(
            "<uuid:interview_id>/agreement/",
            self.admin_site.admin_view(self.agreement_view),
            name="interviews_interview_agreement",
        )
        return [page, *super().get_urls()]

    def has_agreement_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Whether the user owns the organisation of the interview."""
        interview = self.get_object(request, str(obj)) if obj else None
        return interview is not None and access.has_role(
            request.user, interview.organisation_id, access.OWNERS
        )

    @action(description=_("Agreement of reviewers"), permissions=["agreement"], icon="balance")
    def see_agreement(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Redirect to the page; nothing is changed here."""
        return redirect("admin:interviews_interview_agreement", object_id)

    def agreement_view(self, request: HttpRequest, interview_id: UUID) -> HttpResponse:
        """Show the agreement on each criterion."""
        interview = self.get_object(request, str(interview_id))
        if interview is None:
            raise Http404
        if not access.has_role(request.user, interview.organisation_id, access.OWNERS):
            raise PermissionDenied
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "title": _("Agreement of reviewers: %s") % interview.title,
            "interview": cast("Interview", interview),
            "agreements": agreement.of(interview, cast("User", request.user)),
            "least_pairs": agreement.LEAST_PAIRS,
            "media": forms.Media(css={"all": ["admin/interviews/evaluation.css"]}),
        }
        return TemplateResponse(request, "admin/interviews/evaluation/agreement.html", context)
