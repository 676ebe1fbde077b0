"""The review page, the audio that it plays and the corrections that it takes."""

from collections.abc import Sequence
from typing import Any, cast
from uuid import UUID

from django import forms
from django.db.models import Q, QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from accounts import access
from accounts.models import User
from accounts.scoped_admin import ReadOnlyScopedModelAdmin
from interviews.actions import corrections
from interviews.actions.errors import ActionRefused, BadValue
from interviews.models import Exchange, Session
from interviews.queries import integrity, progress, retention
from interviews.queries.moments import moment_url
from interviews.review import answers
from voice.recordings import addresses

PART = "X-Part"
"""A page that is open already sends this header, and gets what is different of the next candidate's page."""
REVIEW_CSS: dict[str, Sequence[str]] = {"all": ["admin/interviews/review/review.css"]}


class CorrectionForm(forms.Form):
    """Which words, and what was said instead; without a text they are restored as they were recognised.

    version: of the transcript that the page shows; 1 unless it says otherwise.
    """

    version = forms.IntegerField(required=False, min_value=1)
    first_word = forms.IntegerField(min_value=0)
    last_word = forms.IntegerField(min_value=0)
    text = forms.CharField(required=False, max_length=corrections.MAX_CHARACTERS)
    is_restored = forms.BooleanField(required=False)


class ReviewPages(ReadOnlyScopedModelAdmin):
    """Base of the admin of candidates' interviews: the page of one of them."""

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view
        own = [
            path(
                "<uuid:session_id>/answers/<uuid:answer_id>/recording/",
                view(self.recording_view),
                name="interviews_session_recording",
            ),
            path(
                "<uuid:session_id>/answers/<uuid:answer_id>/correct/",
                view(require_POST(self.correct_view)),
                name="interviews_session_correct",
            ),
            path(
                "<uuid:session_id>/answers/<uuid:answer_id>/language-model/",
                view(self.exchange_view),
                name="interviews_session_exchange",
            ),
        ]
        return [*own, *super().get_urls()]

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict | None = None
    ) -> HttpResponse:
        """The review page."""
        session = self.get_object(request, object_id)
        if session is None:
            return self._get_obj_does_not_exist_redirect(request, self.opts, object_id)
        is_part = PART in request.headers
        context = self._page_of(request, session)
        if not is_part:
            context |= self.admin_site.each_context(request)
        template = "candidate.html" if is_part else "page.html"
        response = TemplateResponse(request, f"admin/interviews/review/{template}", context)
        response["Vary"] = PART
        return response

    def _page_of(self, request: HttpRequest, session: Session) -> dict[str, Any]:
        reviewed = answers.Reviewed.all_of(session)
        listed: Any = super().get_queryset(request)  # without the counts of the list
        before, after = _neighbours(listed.counted(), session)
        return {
            "opts": self.opts,  # without the row: its name would stay in the header for the next candidate
            "title": session.interview.title,
            "session": session,
            "progress": progress.of(session),
            "answers": reviewed,
            "is_writer": self._is_writer(request, session),
            "is_playable": any(one.is_playable for one in reviewed),
            "held_since": retention.held_since(session.invitation),
            "facts": integrity.facts_of(session, [one.answer for one in reviewed]),
            "address": moment_url(session.pk),
            "before": before,
            "after": after,
            "media": self.media + self.review_media,
            **self.beside(request, session),
        }

    def beside(self, request: HttpRequest, session: Session) -> dict[str, Any]:
        """Return what other rooms show in the column beside the answers."""
        return {}

    @property
    def review_media(self) -> forms.Media:
        script = forms.Script("admin/interviews/review/review.js", type="module")
        return forms.Media(
            css=REVIEW_CSS,
            js=[cast("str", script)],  # the stubs are outdated
        )

    def recording_view(self, request: HttpRequest, session_id: UUID, answer_id: UUID) -> HttpResponse:
        """Redirect to a fresh, short-lived URL, so that a page left open for an hour can still play."""
        session = self.get_object(request, str(session_id))
        answer = session and session.answers.filter(pk=answer_id).select_related("recording").first()
        address = answer and answer.recording and addresses.temporary_url(answer.recording)
        if not address:
            raise Http404
        return redirect(address)

    def exchange_view(self, request: HttpRequest, session_id: UUID, answer_id: UUID) -> HttpResponse:
        """Show what the language model was sent about an answer, and what came back. For those who invite."""
        session = self.get_object(request, str(session_id))
        if session is None or not self._is_writer(request, session):
            raise Http404
        exchange = Exchange.objects.filter(answer=answer_id, answer__session=session).first()
        if exchange is None:
            raise Http404
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "title": _("What the language model was sent"),
            "subtitle": session.invitation.candidate_name,
            "original": session,
            "exchange": exchange,
            "media": self.media + forms.Media(css=REVIEW_CSS),
        }
        return TemplateResponse(request, "admin/interviews/review/exchange.html", context)

    def _is_writer(self, request: HttpRequest, session: Session) -> bool:
        return access.has_role(cast("User", request.user), session.interview.organisation_id, access.WRITERS)

    def correct_view(self, request: HttpRequest, session_id: UUID, answer_id: UUID) -> HttpResponse:
        """Correct some words, or restore them. Return the answer as the page shows it then, or why not."""
        session = self.get_object(request, str(session_id))
        reviewed = session and answers.one(session, answer_id)
        if not reviewed:
            raise Http404
        form = CorrectionForm(request.POST)
        try:
            self._correct(request, reviewed, form)
        except ActionRefused as refused:
            status = 400 if isinstance(refused, BadValue) else 409
            return HttpResponse(refused.detail, status=status, content_type="text/plain")
        what = "restored" if form.cleaned_data["is_restored"] else "corrected"
        message = f"Transcript of answer {reviewed.answer.number} {what}."
        self.log_change(
            request, session.invitation, message
        )  # an erasure takes the invitation's id from the log
        context = {
            "shown": answers.one(session, answer_id),
            "address": moment_url(session.pk),
            "is_writer": self._is_writer(request, session),
        }
        return TemplateResponse(request, "admin/interviews/review/answer.html", context)

    def _correct(self, request: HttpRequest, reviewed: answers.Reviewed, form: CorrectionForm) -> None:
        if not form.is_valid():
            raise BadValue(form.errors.as_text())
        asked = dict(form.cleaned_data)
        is_restored, text = asked.pop("is_restored"), asked.pop("text")
        asked["version"] = asked["version"] or 1
        by, now = cast("User", request.user), timezone.now()
        if is_restored:
            corrections.restore(answer=reviewed.answer, by=by, now=now, **asked)
        else:
            corrections.correct(answer=reviewed.answer, text=text, by=by, now=now, **asked)


def _neighbours(rows: QuerySet[Session], session: Session) -> tuple[Session | None, Session | None]:
    """Return the candidates of the same interview before and after this one, as the list has them."""
    same = rows.filter(invitation__interview=session.interview).select_related("invitation")
    newer = Q(consented_at__gt=session.consented_at) | Q(consented_at=session.consented_at, pk__lt=session.pk)
    older = Q(consented_at__lt=session.consented_at) | Q(consented_at=session.consented_at, pk__gt=session.pk)
    before = same.filter(newer).order_by("consented_at", "-pk").first()
    return before, same.filter(older).order_by("-consented_at", "pk").first()
