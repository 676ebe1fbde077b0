"""The candidate's pages."""

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from interviews.actions import sessions
from interviews.actions.errors import WrongState
from interviews.candidate.forms import ConsentForm
from interviews.models import Invitation, Session
from interviews.models.question import expected_minutes
from interviews.queries import links, rows
from voice.models import Recording

PROBLEM_STATUS = {"unknown": 404, "expired": 410, "revoked": 410, "finished": 200}


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def landing(request: HttpRequest, token: str) -> HttpResponse:
    """The first page: what will happen, and consent."""
    try:
        invitation, session = links.find(token, now=timezone.now())
    except links.LinkProblem as problem:
        return _problem(request, token, problem)
    form = ConsentForm(request.POST if request.method == "POST" else None)
    if request.method == "POST" and (session is not None or form.is_valid()):
        return _start(invitation, token)
    interview = invitation.interview
    questions = rows.questions(interview.pk)
    context = {
        "interview": interview,
        "organisation": interview.organisation,
        "accent": interview.organisation.accent_colour,
        "candidate_name": invitation.candidate_name,
        "question_count": len(questions),
        "minutes": expected_minutes(questions),
        "consent_text": interview.consent_text,
        "token": token,
        "form": form,
        "has_session": session is not None,
    }
    return render(request, "interviews/landing.html", context)


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
        "interview": invitation.interview,
        "organisation": invitation.interview.organisation,
        "accent": invitation.interview.organisation.accent_colour,
        "candidate_name": invitation.candidate_name,
        "room": {
            "token": token,
            "websocket_path": f"/ws/interviews/{token}/",
            "link": invitation.url,
            "keep_audio": settings.KEEP_AUDIO_IN_BROWSER,
        },
    }
    return render(request, "interviews/room.html", context)


def _problem(request: HttpRequest, token: str, problem: links.LinkProblem) -> HttpResponse:
    """Render the problem with the link and what to do about it."""
    invitation = problem.invitation
    if invitation and problem.kind == "finished" and _has_audio_to_deliver(invitation.session):
        return redirect(reverse("interviews:room", args=[token]))
    context = {
        "problem": problem.kind,
        "organisation": invitation and invitation.interview.organisation,
        "token": token if links.shows_what_is_held(problem.kind) else "",
    }
    return render(request, "interviews/link_problem.html", context, status=PROBLEM_STATUS[problem.kind])


def _has_audio_to_deliver(session: Session) -> bool:
    return session.answers.filter(recording__status=Recording.Status.SEALED).exists()
