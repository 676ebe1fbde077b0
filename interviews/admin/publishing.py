"""On an interview's page: publish it, try it, copy it, put it away, and read its versions."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any, cast
from uuid import UUID

from django import forms
from django.contrib import messages
from django.db.models import Count, Q, QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from unfold.decorators import action
from unfold.enums import ActionVariant

from accounts import access
from accounts.models import User
from accounts.scoped_admin import ScopedModelAdmin
from interviews import states
from interviews.actions import invitations, versions
from interviews.actions.errors import ActionRefused
from interviews.models import Interview, Session
from interviews.queries.versions import differences

TRIAL = timedelta(hours=4)


class PublishingActions(ScopedModelAdmin):
    """Base of the interviews' admin: the buttons of one interview, and the page of its versions."""

    def get_urls(self) -> list[URLPattern]:
        page = path(
            "<uuid:interview_id>/versions/",
            self.admin_site.admin_view(self.versions_view),
            name="interviews_interview_versions",
        )
        return [page, *super().get_urls()]

    def has_publish_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Whether the user may publish it, and candidates would get something new."""
        interview = self._writable(request, obj)
        if interview is None or interview.status == Interview.Status.ARCHIVED:
            return False
        return interview.status != Interview.Status.PUBLISHED or versions.has_changes(interview)

    def has_try_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Whether the user may take the interview as a candidate would."""
        return self._writable(request, obj) is not None

    has_duplicate_permission = has_try_permission

    def has_pick_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Whether the user may add questions to it."""
        interview = self._writable(request, obj)
        return interview is not None and interview.status != Interview.Status.ARCHIVED

    def has_archive_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Whether the user may archive it, and it is not archived."""
        interview = self._writable(request, obj)
        return interview is not None and interview.status in states.ARCHIVE.sources

    def has_restore_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Whether the user may restore it, and it is archived."""
        interview = self._writable(request, obj)
        return interview is not None and interview.status in states.RESTORE.sources

    def _writable(self, request: HttpRequest, obj: Any) -> Interview | None:
        if obj is None:
            return None
        return self.writable(request).filter(pk=obj).select_related("published").first()

    def _found(self, request: HttpRequest, object_id: str) -> Interview:
        """Return an interview that the user may change. Raises Http404."""
        interview = self._writable(request, object_id)
        if interview is None:
            raise Http404
        return interview

    @action(
        description=_("Publish"),
        permissions=["publish"],
        icon="publish",
        variant=ActionVariant.PRIMARY,
        dialog={
            "title": _("Publish this interview?"),
            "description": _(
                "Candidates get it as it is saved now. Those who have begun keep the version that they "
                "agreed to."
            ),
            "form_submit_text": _("Publish"),
        },
    )
    def publish(self, request: HttpRequest, form: forms.Form, object_id: str) -> HttpResponse:
        return self._act(request, object_id, versions.publish, _("Published."), "Published.")

    @action(
        description=_("Archive"),
        permissions=["archive"],
        icon="archive",
        dialog={
            "title": _("Archive this interview?"),
            "description": _("Nobody more can be invited. Links that are out go on working."),
            "form_submit_text": _("Archive"),
        },
    )
    def archive(self, request: HttpRequest, form: forms.Form, object_id: str) -> HttpResponse:
        return self._act(request, object_id, versions.archive, _("Archived."), "Archived.")

    @action(
        description=_("Restore"),
        permissions=["restore"],
        icon="unarchive",
        dialog={
            "title": _("Restore this interview?"),
            "description": _("It becomes a draft. Publish it to invite candidates again."),
            "form_submit_text": _("Restore"),
        },
    )
    def restore(self, request: HttpRequest, form: forms.Form, object_id: str) -> HttpResponse:
        return self._act(request, object_id, versions.restore, _("Restored as a draft."), "Restored.")

    @action(
        description=_("Duplicate"),
        permissions=["duplicate"],
        icon="content_copy",
        dialog={
            "title": _("Duplicate this interview?"),
            "description": _(
                "It becomes a draft of its own, with the same questions. Nobody is invited to it."
            ),
            "form_submit_text": _("Duplicate"),
        },
    )
    def duplicate(self, request: HttpRequest, form: forms.Form, object_id: str) -> HttpResponse:
        interview = self._found(request, object_id)
        copy = versions.duplicate(interview=interview, by=request.user, now=timezone.now())
        self.log_addition(request, copy, "Duplicated.")
        messages.success(request, _("This is the copy."))
        return _to_page(copy.pk)

    @action(
        description=_("Try as a candidate"),
        permissions=["try"],
        icon="play_circle",
        dialog={
            "title": _("Try it as a candidate?"),
            "description": _(
                "You take the interview as it is saved now, on this device. It is counted nowhere, and what "
                "you say is erased after a day."
            ),
            "form_submit_text": _("Begin"),
        },
    )
    def try_it(self, request: HttpRequest, form: forms.Form, object_id: str) -> HttpResponse:
        interview = self._found(request, object_id)
        now = timezone.now()
        try:
            invitation = invitations.try_out(
                interview=interview, by=cast("User", request.user), expires_at=now + TRIAL, now=now
            )
        except ActionRefused as refused:
            messages.error(request, refused.detail)
            return _to_page(interview.pk)
        return HttpResponse(headers={"HX-Redirect": invitation.url})

    @action(description=_("Add questions from the bank"), permissions=["pick"], icon="bookmarks")
    def pick(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Redirect to the page that offers them; nothing is changed here."""
        return redirect("admin:interviews_bankquestion_pick", object_id)

    @action(description=_("Invite many"), permissions=["invite"], icon="group_add")
    def invite_many(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Redirect to the page that takes a spreadsheet; nothing is changed here."""
        return redirect("admin:interviews_invitationbatch_upload", object_id)

    def has_invite_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Whether the user may invite to it."""
        interview = self._writable(request, obj)
        return interview is not None and interview.status == Interview.Status.PUBLISHED

    @action(description=_("Versions"), permissions=["view"], icon="history")
    def see_versions(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Redirect to the page; nothing is changed here."""
        return redirect("admin:interviews_interview_versions", object_id)

    def versions_view(self, request: HttpRequest, interview_id: UUID) -> HttpResponse:
        """Show what each version changed, the newest first, and what is not published yet."""
        interview = self.get_object(request, str(interview_id))
        if interview is None:
            raise Http404
        numbered = interview.versions.filter(number__isnull=False).select_related("published_by")
        begun = Count("sessions", filter=Q(sessions__in=_candidates(request)))
        kept = list(numbered.annotate(session_count=begun).order_by("-number"))
        states_kept = [versions.written(version) for version in kept]
        changes = [differences(*pair) for pair in zip(states_kept[1:], states_kept, strict=False)]
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "title": _("Versions of %s") % interview.title,
            "interview": interview,
            "unpublished": differences(states_kept[0], versions.written(interview)) if kept else [],
            "versions": [
                {"version": version, "differences": changes[place] if place < len(changes) else []}
                for place, version in enumerate(kept)
            ],
        }
        return TemplateResponse(request, "admin/interviews/interview/versions.html", context)

    def _act(
        self, request: HttpRequest, object_id: str, act: Callable[..., Any], done: Any, logged: str
    ) -> HttpResponse:
        interview = self._found(request, object_id)
        try:
            act(interview=interview, by=request.user, now=timezone.now())
        except ActionRefused as refused:
            messages.error(request, refused.detail)
        else:
            self.log_change(request, interview, logged)
            messages.success(request, done)
        return _to_page(interview.pk)


def _candidates(request: HttpRequest) -> QuerySet[Session]:
    """Return the candidates' sessions that the user may see."""
    path_to_organisation = "invitation__interview__organisation_id"
    return access.scoped(Session.objects.counted(), request.user, path=path_to_organisation)


def _to_page(interview_id: UUID) -> HttpResponse:
    address = reverse("admin:interviews_interview_change", args=[interview_id])
    return HttpResponse(headers={"HX-Redirect": address})
