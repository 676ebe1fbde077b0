"""On a candidate's page: the own scorecard and the decision. Each form answers with the fragment."""

from collections.abc import Callable
from typing import Any, cast
from uuid import UUID

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from accounts import access
from accounts.models import User
from accounts.scoped_admin import ReadOnlyScopedModelAdmin
from interviews.actions import decisions, mails, scorecards
from interviews.actions.assignments import unassign
from interviews.actions.errors import ActionRefused
from interviews.models import Decision, Session
from interviews.queries import evaluation, review_queue

FRAGMENT = "admin/interviews/evaluation/scorecard.html"
PAGE = "admin/interviews/evaluation/page.html"
OF_FORMS = ("outcome", "reason", "text")
"""Fields that the detail of a refusal names."""
MOST_DIGITS = 18


class EvaluationPages(ReadOnlyScopedModelAdmin):
    """Base of the sessions' admin: what is judged about one candidate, at addresses below the candidate's."""

    def get_urls(self) -> list[URLPattern]:
        views: dict[str, Callable[..., HttpResponse]] = {
            "scorecard/": self.scorecard_view,
            "scorecard/draft/": require_POST(self.draft_view),
            "scorecard/others/": require_POST(self.others_view),
            "scorecard/language-model/": self.sent_view,
            "decision/": require_POST(self.decision_view),
            "decision/mail/": require_POST(self.tell_view),
            "assignments/<int:assignment_id>/end/": require_POST(self.unassign_view),
        }
        return [*self.addresses(views), *super().get_urls()]

    def addresses(self, views: dict[str, Callable[..., HttpResponse]]) -> list[URLPattern]:
        """Return the addresses of views, by their routes below the candidate's."""
        return [
            path(f"<uuid:session_id>/{route}", self.admin_site.admin_view(view), name=_name(route))
            for route, view in views.items()
        ]

    def evaluation_context(self, request: HttpRequest, session: Session) -> dict[str, Any]:
        """Return what the fragment shows to this user. A page that includes it adds this to its context.

        What it shows of others' judgement is kept: a score that is given later is not blind.
        """
        user = cast("User", request.user)
        seen = evaluation.of(session, user)
        if seen.is_swaying:
            scorecards.note_judgement_shown(sessions=[session], **by(request))
        kind = mails.OF_OUTCOME.get(seen.decision.outcome) if seen.decision else None
        return {
            "evaluation": seen,
            "outcomes": Decision.Outcome.choices,
            "queue": review_queue.neighbours(session, user),
            "told": seen.decision and decisions.told(seen.decision),
            "can_be_told": bool(kind and seen.may_decide),
            "can_mail": mails.can_send() and bool(session.invitation.candidate_email),
        }

    def scorecard_view(self, request: HttpRequest, session_id: UUID) -> HttpResponse:
        """Show the evaluation, or submit the user's own score."""
        session = self.session_of(request, session_id)
        if request.method == "POST":
            return self.act(request, session, _("Submitted."), self._submit)
        return self._shown(request, session)

    def _submit(self, request: HttpRequest, session: Session) -> None:
        scores = _scores_in(request.POST)
        scorecards.keep(session=session, scores=scores, **by(request))  # stays if submitting is refused
        scorecards.submit(session=session, scores=scores, **by(request))

    def draft_view(self, request: HttpRequest, session_id: UUID) -> HttpResponse:
        """Keep the user's draft. The page asks for it while the user writes."""
        session = self.session_of(request, session_id)
        try:
            card = scorecards.keep(session=session, scores=_scores_in(request.POST), **by(request))
        except ActionRefused as refused:
            return HttpResponse(refused.detail, status=409, content_type="text/plain")
        kept_at = timezone.localtime(card.kept_at)
        return HttpResponse(_("Draft kept at %s") % f"{kept_at:%H:%M}", content_type="text/plain")

    def others_view(self, request: HttpRequest, session_id: UUID) -> HttpResponse:
        """Show others' scores to a recruiter or owner who does not score first."""
        session = self._writable_session(request, session_id)
        return self.act(request, session, "", self._show_others)

    def _show_others(self, request: HttpRequest, session: Session) -> None:
        scorecards.show_others(session=session, **by(request))

    def sent_view(self, request: HttpRequest, session_id: UUID) -> HttpResponse:
        """Show what the language model was sent for its suggestion. For writers, after their score."""
        session = self._writable_session(request, session_id)
        drafted = evaluation.of(session, cast("User", request.user)).drafted
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "title": _("What the language model was sent"),
            "subtitle": session.invitation.candidate_name,
            "session": session,
            "draft": drafted,
            "requests": drafted.row.requests.select_related("answer") if drafted else [],
            "media": self.evaluation_media + self.media,
        }
        return TemplateResponse(request, "admin/interviews/evaluation/sent.html", context)

    def decision_view(self, request: HttpRequest, session_id: UUID) -> HttpResponse:
        """Decide, or change the decision."""
        session = self._writable_session(request, session_id)
        return self.act(request, session, _("Decided."), self._decide)

    def _decide(self, request: HttpRequest, session: Session) -> None:
        decisions.decide(
            session=session,
            outcome=request.POST.get("outcome", ""),
            reason=request.POST.get("reason", ""),
            after=_number(request.POST.get("after", "")),
            **by(request),
        )

    def tell_view(self, request: HttpRequest, session_id: UUID) -> HttpResponse:
        """Send the candidate the e-mail about the decision."""
        session = self._writable_session(request, session_id)
        return self.act(request, session, _("The e-mail is on its way."), self._tell)

    def _tell(self, request: HttpRequest, session: Session) -> None:
        decisions.tell(session=session, **by(request))

    def unassign_view(self, request: HttpRequest, session_id: UUID, assignment_id: int) -> HttpResponse:
        """Take the candidate away from a reviewer."""
        session = self._writable_session(request, session_id)
        assignment = session.assignments.filter(pk=assignment_id).first()
        if assignment is None:
            raise Http404
        user = cast("User", request.user)
        return self.act(request, session, "", lambda *_of: unassign(assignment=assignment, by=user))

    def session_of(self, request: HttpRequest, session_id: UUID) -> Session:
        """Return a session that the user may see. Raises Http404."""
        rows = self.get_queryset(request).select_related("invitation__interview__organisation", "definition")
        session = rows.filter(pk=session_id).first()
        if session is None:
            raise Http404
        return session

    def _writable_session(self, request: HttpRequest, session_id: UUID) -> Session:
        """Return a session about which the user may decide. Raises Http404, PermissionDenied."""
        session = self.session_of(request, session_id)
        if not access.has_role(request.user, session.interview.organisation_id, access.WRITERS):
            raise PermissionDenied
        return session

    def act(
        self,
        request: HttpRequest,
        session: Session,
        done: str,
        act: Callable[[HttpRequest, Session], None],
        edited: UUID | None = None,
    ) -> HttpResponse:
        """Act, and say what became of it. What was typed is shown again if it is refused.

        edited: the note in whose form it was typed, if it is none of the others.
        """
        try:
            act(request, session)
        except ActionRefused as refused:
            _field, said = refused.at(OF_FORMS)
            typed = {"problem": capfirst(said), "posted": request.POST, "edited": edited}
            return self._shown(request, session, **typed)
        if request.headers.get("HX-Request"):
            return self._shown(request, session, done=done)
        if done:
            messages.success(request, done)
        return redirect(f"{reverse('admin:interviews_session_change', args=[session.pk])}#evaluation")

    def _shown(self, request: HttpRequest, session: Session, **said: Any) -> HttpResponse:
        """Answer a page that asked for it with the fragment, others with a page of its own."""
        context = {**self.evaluation_context(request, session), **said, "session": session}
        if request.headers.get("HX-Request"):
            return TemplateResponse(request, FRAGMENT, context)
        page = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "title": session.invitation.candidate_name,
            "subtitle": session.interview.title,
            "media": self.evaluation_media,
        }
        return TemplateResponse(request, PAGE, {**page, **context}, status=422 if "problem" in said else 200)

    @property
    def evaluation_media(self) -> forms.Media:
        """What a page that includes the fragment loads."""
        return forms.Media(
            css={"all": ["admin/interviews/evaluation.css"]},
            js=[cast("str", forms.Script("admin/interviews/evaluation.js", type="module"))],
        )


def _name(route: str) -> str:
    """Return the name of an address: `interviews_session_scorecard_draft` for `scorecard/draft/`."""
    parts = [part.replace("-", "_") for part in route.split("/") if part and not part.startswith("<")]
    return "_".join(["interviews_session", *parts])


def by(request: HttpRequest) -> dict[str, Any]:
    """Return who acts, and when, as actions ask for it."""
    return {"by": cast("User", request.user), "now": timezone.now()}


def _scores_in(posted: QueryDict) -> dict[str, tuple[int | None, str]]:
    """Return the levels and notes of the form, by the criterion's id."""
    keys = {name.partition("-")[2] for name in posted if name.startswith(("level-", "note-"))}
    levels = {key: posted.get(f"level-{key}", "") for key in keys}
    return {key: (_number(level), posted.get(f"note-{key}", "")) for key, level in levels.items()}


def _number(text: str) -> int | None:
    return int(text) if text.isdecimal() and len(text) < MOST_DIGITS else None
