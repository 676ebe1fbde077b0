"""Pages on which one interview is transcribed again, and the versions of a transcript compared and chosen."""

from collections.abc import Callable
from typing import Any, cast
from uuid import UUID

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_POST

from accounts import access
from accounts.models import User
from accounts.scoped_admin import ReadOnlyScopedModelAdmin
from interviews.actions import retranscription
from interviews.actions.errors import ActionRefused
from interviews.models import Answer, Session
from interviews.queries import transcript_versions
from interviews.queries.moments import moment_url
from interviews.review import answers
from interviews.review.again import AgainForm, models_for
from interviews.review.versions import at_stake, difference, number_in, versions_of
from voice.models import Recognised

LOOK_AGAIN_S = 3
"""A page looks so often while something is being transcribed."""


class TranscriptPages(ReadOnlyScopedModelAdmin):
    """Base of the sessions' admin: transcribing again, at addresses below the candidate's."""

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view
        of_answer = "<uuid:session_id>/answers/<uuid:answer_id>/transcripts/"
        own = [
            path(
                "<uuid:session_id>/transcripts/", view(self.transcripts_view), name="interviews_transcripts"
            ),
            path(of_answer, view(self.versions_view), name="interviews_versions"),
            path(f"{of_answer}use/", view(require_POST(self.use_view)), name="interviews_versions_use"),
        ]
        return [*own, *super().get_urls()]

    # One answer

    def versions_view(self, request: HttpRequest, session_id: UUID, answer_id: UUID) -> HttpResponse:
        """Show the versions of an answer's transcript and their difference; writers ask for another one."""
        answer = self._answer(request, session_id, answer_id)
        is_writer = self._may_choose(request, answer.session)
        if request.method == "POST" and not is_writer:
            raise PermissionDenied
        here = reverse("admin:interviews_versions", args=[session_id, answer_id])
        form = self._form_for(request, answer.session)
        if request.method == "POST" and form.is_valid():
            try:
                retranscription.transcribe_answer_again(answer=answer, **form.chosen, **_by(request))
            except ActionRefused as refused:
                form.refuse(refused)
            else:
                self.log_change(
                    request, answer.session.invitation, f"Answer {answer.number} is transcribed again."
                )
                return redirect(here)
        versions = versions_of(answer)
        context = {
            "title": _("Transcripts of answer %s") % answer.number,
            "answer": answer,
            "is_writer": is_writer,
            "versions": versions,
            "at_stake": at_stake(answer),
            "is_waiting": any(one.row.status == Recognised.Status.WAITING for one in versions),
            "seen": sum(one.row.status != Recognised.Status.WAITING for one in versions),
            "here": here,
            "form": form,
            "back": moment_url(session_id, answer.number),
        }
        return self._transcripts_page(
            request, answer.session, "versions", context, lambda: difference(versions, request.GET)
        )

    def use_view(self, request: HttpRequest, session_id: UUID, answer_id: UUID) -> HttpResponse:
        """Let another version be the answer's transcript."""
        answer = self._answer(request, session_id, answer_id)
        if not self._may_choose(request, answer.session):
            raise PermissionDenied
        is_confirmed = request.POST.get("is_confirmed") == "on"
        number = number_in(request.POST.get("version", "")) or 0
        try:
            by = cast("User", request.user)
            retranscription.use(answer=answer, version=number, is_confirmed=is_confirmed, by=by)
        except ActionRefused as refused:
            messages.error(request, refused.detail)
        else:
            message = f"Answer {answer.number}: version {number} of its transcript is used."
            self.log_change(request, answer.session.invitation, message)
            messages.success(request, _("Version %d is used now.") % number)
        return redirect("admin:interviews_versions", session_id, answer_id)

    def _answer(self, request: HttpRequest, session_id: UUID, answer_id: UUID) -> Answer:
        session = self._session(request, session_id)
        rows = session.answers.exclude(kind=Answer.Kind.PRACTICE).select_related("recording__transcript")
        answer = rows.filter(pk=answer_id, recording__transcript__isnull=False).first()
        if answer is None:
            raise Http404
        answer.session = session
        return answer

    # A whole interview

    def transcripts_view(self, request: HttpRequest, session_id: UUID) -> HttpResponse:
        """Show by which models an interview was transcribed, and how far it is; or ask for it."""
        session = self._session(request, session_id)
        if not self._may_choose(request, session):
            raise PermissionDenied
        form = self._form_for(request, session)
        here = reverse("admin:interviews_transcripts", args=[session_id])
        if request.method == "POST" and form.is_valid() and self.began(request, [session], form):
            return redirect(here)
        shown = [one for one in answers.Reviewed.all_of(session) if one.transcript is not None]
        done, total = transcript_versions.progress_of(session)
        context = {
            "title": _("Transcribe again"),
            "answers": shown,
            "is_waiting": done < total,
            "seen": done,
            "total": total,
            "here": here,
            "form": form,
            "back": moment_url(session_id),
        }
        return self._transcripts_page(request, session, "transcripts", context)

    def began(self, request: HttpRequest, sessions: list[Session], form: AgainForm) -> bool:
        """Whether the interviews are being transcribed again; else the form says why not."""
        try:
            count = retranscription.transcribe_again(sessions=sessions, **form.chosen, **_by(request))
        except ActionRefused as refused:
            form.refuse(refused)
            return False
        for session in sessions:
            self.log_change(request, session.invitation, "The interview is transcribed again.")
        said = ngettext("%d answer is transcribed again.", "%d answers are transcribed again.", count)
        messages.success(request, said % count)
        return True

    # What these pages share

    def _session(self, request: HttpRequest, session_id: UUID) -> Session:
        session = self.get_object(request, str(session_id))
        if session is None:
            raise Http404
        return cast("Session", session)

    def _may_choose(self, request: HttpRequest, session: Session) -> bool:
        """Whether the user orders transcripts of this interview, and chooses which are used."""
        return access.has_role(request.user, session.interview.organisation_id, access.WRITERS)

    def _form_for(self, request: HttpRequest, session: Session) -> AgainForm:
        return AgainForm(request.POST if request.method == "POST" else None, models=models_for([session]))

    def _transcripts_page(
        self,
        request: HttpRequest,
        session: Session,
        name: str,
        context: dict[str, Any],
        details: Callable[[], dict[str, Any]] = dict,
    ) -> HttpResponse:
        """Answer a page that looks again with what has changed since, others with the whole page.

        context: seen, how much is made, and whether it `is_waiting` for more. details: computes the rest of
        the context, only where something is shown: many pages look again every few seconds.
        """
        has_seen = request.headers.get("HX-Request") and request.GET.get("seen") == str(context["seen"])
        if has_seen and context["is_waiting"]:
            return HttpResponse(status=204)  # htmx leaves the page as it is, and the focus where it is
        shared = {"session": session, "look_again_s": LOOK_AGAIN_S, **context, **details()}
        if request.headers.get("HX-Request"):
            return TemplateResponse(request, f"admin/interviews/review/{name}_part.html", shared)
        page = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "subtitle": session.invitation.candidate_name,
            "media": self.media + forms.Media(css={"all": ["admin/interviews/review/review.css"]}),
            "part": f"admin/interviews/review/{name}_part.html",
        }
        status = 422 if context["form"].errors else 200
        return TemplateResponse(
            request, "admin/interviews/review/transcripts.html", page | shared, status=status
        )


def _by(request: HttpRequest) -> dict[str, Any]:
    return {"by": cast("User", request.user), "now": timezone.now()}
