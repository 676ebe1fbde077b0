"""The candidate's pages."""

from contextlib import suppress
from datetime import datetime

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from interviews import tokens
from interviews.actions import interviews, new_links, sessions
from interviews.actions.errors import ActionRefused, WrongState
from interviews.candidate.forms import ConsentForm
from interviews.models import Invitation, Session
from interviews.models.invitation import url_of
from interviews.models.question import expected_minutes
from interviews.queries import groups, links
from interviews.texts import accommodations as accommodation_texts
from voice.models import Recording

PROBLEM_STATUS = {"unknown": 404, "expired": 410, "revoked": 410, "finished": 200, "closed": 410}


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def landing(request: HttpRequest, token: str) -> HttpResponse:
    """The first page: what will happen, and consent."""
    try:
        invitation, session = links.find(token, now=timezone.now())
    except links.LinkProblem as problem:
        return _problem(request, token, problem)
    definition = invitation.definition
    is_post = request.method == "POST"
    form = ConsentForm(
        request.POST if is_post else None,
        text=definition.consent_text,
        kept_days=definition.retention_days,
        has_page_facts=definition.has_page_facts,
    )
    if is_post and (session is not None or form.is_valid()):
        return _start(invitation, token)
    context = {
        **links.look(invitation),
        "candidate_name": invitation.candidate_name,
        "question_count": len(definition.asked),
        "minutes": _minutes(invitation),
        "arranged": accommodation_texts.sentences(invitation.accommodation),
        "has_page_facts": definition.has_page_facts and invitation.accommodation is None,
        "consent_text": definition.consent_text,
        "token": token,
        "form": form,
        "has_session": session is not None,
        "introduction_url": interviews.introduction_url(definition),
        "begin_by": invitation.begin_by,
    }
    return render(request, "interviews/landing.html", context)


def _minutes(invitation: Invitation) -> int:
    minutes = expected_minutes(invitation.definition.asked)
    accommodation = invitation.accommodation
    return accommodation.extended(minutes) if accommodation else minutes


def _start(invitation: Invitation, token: str) -> HttpResponse:
    try:
        sessions.start(invitation=invitation, now=timezone.now())
    except WrongState:  # the link ended meanwhile: look again
        return redirect("interviews:landing", token=token)
    return redirect("interviews:room", token=token)


@never_cache
@require_safe
def room(request: HttpRequest, token: str) -> HttpResponse:
    """The page of the interview: device check, practice, questions and finish, driven by the WebSocket."""
    try:
        invitation, session = links.find(token, now=timezone.now(), is_finished_welcome=True)
    except links.LinkProblem as problem:
        return _problem(request, token, problem)
    if session is None:
        return redirect("interviews:landing", token=token)
    context = {
        **links.look(invitation),
        "candidate_name": invitation.candidate_name,
        "room": {
            "token": token,
            "store": invitation.token,
            "websocket_path": f"/ws/interviews/{token}/",
            "link": url_of(token),
            "keep_audio": settings.KEEP_AUDIO_IN_BROWSER,
            "audio_kept_s": settings.AUDIO_KEPT_S,
            "closing_text": invitation.definition.closing_text,
            "heard": reverse("interviews:heard", args=[token])
            if invitation.definition.is_correcting_allowed
            else "",
            "groups_path": _groups_path(invitation, session, token),
        },
    }
    return render(request, "interviews/room.html", context)


def _groups_path(invitation: Invitation, session: Session, token: str) -> str:
    return reverse("interviews:groups", args=[token]) if groups.is_asked(invitation, session) else ""


@never_cache
@require_POST
def new_link(request: HttpRequest, token: str) -> HttpResponse:
    """Ask for a mail with a new link, from the page of a link that shows no answers any more."""
    now = timezone.now()
    try:
        links.find(token, now=now, is_finished_welcome=True)
    except links.LinkProblem as problem:
        if problem.kind == "closed" and problem.invitation:
            _request_link(problem.invitation, now)
    return redirect("interviews:landing", token=token)


def _request_link(invitation: Invitation, now: datetime) -> None:
    """Request the mail. If that is refused, the page says what the candidate can do."""
    with suppress(ActionRefused):
        new_links.request_link(invitation=invitation, by=invitation, now=now)


def _problem(request: HttpRequest, token: str, problem: links.LinkProblem) -> HttpResponse:
    """Render the problem with the link and what to do about it."""
    invitation = problem.invitation
    if invitation and problem.kind == "finished" and _may_enter_room(invitation.session, token):
        return redirect(reverse("interviews:room", args=[token]))
    context = {
        **(links.look(invitation) if invitation else {"organisation": None}),
        "problem": problem.kind,
        "page_language": links.page_language(invitation),
        "token": token,
        "is_withdrawn": problem.kind == "expired" and links.is_withdrawn(invitation),
        "shows_what_is_held": links.shows_what_is_held(problem.kind),
    }
    if invitation and problem.kind == "finished":
        context["shows_what_was_heard"] = links.corrected_until(invitation.session) is not None
    if invitation and problem.kind == "closed":
        context["new_link"] = new_links.offer(invitation, now=timezone.now())
    return render(request, "interviews/link_problem.html", context, status=PROBLEM_STATUS[problem.kind])


def _may_enter_room(session: Session, token: str) -> bool:
    """Whether there is something to do in the room of a finished interview."""
    return tokens.read_temporary(token) is not None or _has_audio_to_deliver(session)


def _has_audio_to_deliver(session: Session) -> bool:
    return session.answers.filter(recording__status=Recording.Status.SEALED).exists()
