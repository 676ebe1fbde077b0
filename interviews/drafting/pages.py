"""Admin pages: a job description is pasted, the model drafts an interview of it, and a person edits that."""

from collections.abc import Callable
from typing import Any, cast
from uuid import UUID

from django import forms
from django.conf import settings
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.loader import render_to_string
from django.template.response import TemplateResponse
from django.urls import URLPattern, path
from django.utils import timezone, translation
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_POST
from unfold.decorators import display
from unfold.widgets import UnfoldAdminIntegerFieldWidget, UnfoldAdminSelectWidget, UnfoldAdminTextareaWidget

from accounts import access
from accounts.carried_organisation import CarriedOrganisationForm
from accounts.models import Organisation, User
from accounts.scoped_admin import ReadOnlyScopedModelAdmin, ScopedModelAdmin
from interviews.actions import interview_drafts
from interviews.actions.errors import ActionRefused
from interviews.brain import guard, language_model
from interviews.models import Interview, JobDescription
from interviews.models.job_description import LEAST_QUESTIONS, MOST_QUESTIONS
from interviews.texts.languages import LANGUAGES

LOOK_AGAIN_S = 2


def offered_to(user: Any) -> QuerySet[Organisation]:
    """Return the organisations for which the user may have an interview drafted."""
    own = access.organisations(user, access.WRITERS)
    return own.filter(is_language_model_used=True) if language_model.is_configured() else own.none()


def link_to_draft(user: Any) -> str:
    """Return the link to the form, as HTML; "" for who is not offered it."""
    return render_to_string("admin/interviews/jobdescription/link.html") if offered_to(user).exists() else ""


class DescriptionForm(CarriedOrganisationForm):
    """The job description, and what is to come of it. The action knows the limits, so it checks them last."""

    language = forms.ChoiceField(label=_("Language of the interview"), widget=UnfoldAdminSelectWidget)
    question_count = forms.IntegerField(
        label=_("Number of questions"),
        min_value=LEAST_QUESTIONS,
        max_value=MOST_QUESTIONS,
        initial=6,
        widget=UnfoldAdminIntegerFieldWidget,
    )

    class Meta:
        model = JobDescription
        fields = ["organisation", "text", "language", "question_count"]
        labels = {"organisation": _("Organisation"), "text": _("Job description")}
        widgets = {
            "organisation": UnfoldAdminSelectWidget,
            "text": UnfoldAdminTextareaWidget(attrs={"rows": 14}),
        }

    def __init__(self, *args: Any, by: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._by = by
        field = cast("forms.ModelChoiceField", self.fields["organisation"])
        field.queryset = offered_to(by)
        only = list(field.queryset[:2])
        if len(only) == 1:
            field.initial, field.widget = only[0].pk, forms.HiddenInput()
        languages = [(code, name) for code, name in LANGUAGES if code in guard.languages()]
        language = cast("forms.ChoiceField", self.fields["language"])
        language.choices, language.initial = languages, (translation.get_language() or "en")[:2]

    def _post_clean(self) -> None:
        super()._post_clean()  # type: ignore[misc]  # missing in the stubs
        if self.errors:
            return
        try:
            self.instance = interview_drafts.request(**self.cleaned_data, by=self._by, now=timezone.now())
        except ActionRefused as refused:
            self.add_error(*refused.at(self.fields))


@admin.register(JobDescription)
class JobDescriptionAdmin(ReadOnlyScopedModelAdmin):
    """The job descriptions of an organisation, and what came of each."""

    reading_roles = access.WRITERS
    list_display = ["__str__", "state", "language", "question_count", "made_by", "created_at"]
    list_filter = ["status"]
    list_select_related = ["created_by"]

    class Media:
        css = {"all": ["admin/interviews/review/review.css"]}

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Whether the user may delete it, with all that was sent and received. The draft stays.

        Not while it is at the model: only one may be there.
        """
        is_sent = getattr(obj, "status", None) == JobDescription.Status.SENT
        return not is_sent and ScopedModelAdmin.has_delete_permission(self, request, obj)

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view
        own = [
            path("new/", view(self.new_view), name="interviews_jobdescription_new"),
            path(
                "<uuid:object_id>/progress/",
                view(self.progress_view),
                name="interviews_jobdescription_progress",
            ),
            path(
                "<uuid:object_id>/cancel/",
                view(require_POST(self.cancel_view)),
                name="interviews_jobdescription_cancel",
            ),
            path(
                "<uuid:object_id>/again/",
                view(require_POST(self.again_view)),
                name="interviews_jobdescription_again",
            ),
        ]
        return [*own, *super().get_urls()]

    @display(
        description=_("status"),
        ordering="status",
        label={
            "waiting": "info",
            "sent": "info",
            "drafted": "success",
            "refused": "warning",
            "failed": "danger",
            "cancelled": "",
        },
    )
    def state(self, description: JobDescription) -> tuple[str, str]:
        return description.status, description.get_status_display()

    @display(description=_("created by"), ordering="created_by")
    def made_by(self, description: JobDescription) -> str:
        return str(description.created_by or "–")

    def new_view(self, request: HttpRequest) -> HttpResponse:
        """Take a job description. There is no such page for who is not offered a draft."""
        if not offered_to(request.user).exists():
            raise PermissionDenied
        form = DescriptionForm(request.POST or None, by=request.user)
        if request.method == "POST" and form.is_valid():
            self.log_addition(request, form.instance, "Sent to the language model.")
            return redirect("admin:interviews_jobdescription_change", form.instance.pk)
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "title": _("Draft from a job description"),
            "form": form,
            "model_name": settings.LLM_NAME,
        }
        return TemplateResponse(request, "admin/interviews/jobdescription/new.html", context)

    def changeform_view(
        self, request: HttpRequest, object_id: str | None = None, *args: Any, **kwargs: Any
    ) -> HttpResponse:
        """Show how far it is, and what was sent and received."""
        if object_id is None:  # a new one is pasted on a page of its own
            raise PermissionDenied
        description = self._found(request, object_id)
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "title": str(description),
            "media": self.media,
            "may_delete": self.has_delete_permission(request, description),
            **_shown(description),
        }
        return TemplateResponse(request, "admin/interviews/jobdescription/description.html", context)

    def progress_view(self, request: HttpRequest, object_id: UUID) -> HttpResponse:
        """Render how far it is; nothing while that is what the page shows already."""
        description = self._found(request, object_id)
        if request.GET.get("seen") == description.status:
            return HttpResponse(status=204)
        return TemplateResponse(
            request, "admin/interviews/jobdescription/progress.html", _shown(description) | {"is_part": True}
        )

    def cancel_view(self, request: HttpRequest, object_id: UUID) -> HttpResponse:
        """Send it to no model."""
        description = self._found(request, object_id)
        return self._act(request, description, interview_drafts.cancel, "Cancelled.")

    def again_view(self, request: HttpRequest, object_id: UUID) -> HttpResponse:
        """Try once more."""
        description = self._found(request, object_id)
        return self._act(request, description, interview_drafts.again, "Sent again.")

    def _act(
        self, request: HttpRequest, description: JobDescription, act: Callable[..., Any], logged: str
    ) -> HttpResponse:
        try:
            made = act(description=description, by=cast("User", request.user), now=timezone.now())
        except ActionRefused as refused:
            messages.error(request, refused.detail)
            made = None
        else:
            self.log_change(request, made or description, logged)
        return redirect("admin:interviews_jobdescription_change", (made or description).pk)

    def _found(self, request: HttpRequest, object_id: UUID | str) -> JobDescription:
        description = self.get_object(request, str(object_id))
        if description is None:
            raise Http404
        return description


def _shown(description: JobDescription) -> dict[str, Any]:
    is_under_way = description.status in JobDescription.UNDER_WAY
    return {
        "description": description,
        "is_under_way": is_under_way,
        "look_again_s": LOOK_AGAIN_S if is_under_way else None,
        "at_most_s": round(settings.LLM_DRAFT_TIMEOUT_S),
        "may_try_again": not is_under_way and description.status != JobDescription.Status.DRAFTED,
    }


def origin_of(interview: Interview) -> str:
    """Return what an interview's page says of the job description it comes from, as HTML; "" for none."""
    description = interview.job_descriptions.first()
    if description is None:
        return ""
    return render_to_string("admin/interviews/jobdescription/origin.html", {"description": description})
