"""The candidate's own pages: what is held, taking it along, withdrawing consent, and erasing everything."""

from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import ngettext, override
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from accounts.audit.doors import leaves
from accounts.audit.recording import Kind
from interviews import states
from interviews.actions import erasure, withdrawal
from interviews.actions.errors import WrongState
from interviews.exports import downloads
from interviews.models import Invitation, Session
from interviews.privacy import limits, package
from interviews.queries import holdings, links, retention


@leaves()
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def your_data(request: HttpRequest, token: str) -> HttpResponse:
    """Say what is held about the candidate; erase it after a second confirmation."""
    try:
        invitation = links.find_for_data(token, now=timezone.now())
    except links.LinkProblem as problem:
        return _problem(request, problem)
    links.about_candidate(invitation)
    if request.POST.get("confirmed") == "yes":
        return _erase(request, invitation, token)
    if request.method == "POST":
        return _show(request, "confirm", invitation, token)
    return _show(request, "data", invitation, token)


@leaves()
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def withdraw(request: HttpRequest, token: str) -> HttpResponse:
    """Say what withdrawing the consent does, and do it. One further button then erases everything."""
    try:
        invitation = links.find_for_data(token, now=timezone.now())
        links.about_candidate(invitation)
        if request.POST.get("confirmed") == "yes":
            withdrawal.withdraw(invitation=invitation, now=timezone.now())
            return redirect("interviews:withdraw", token=token)
    except links.LinkProblem as problem:
        return _problem(request, problem)
    except WrongState:  # nothing was consented to
        return redirect("interviews:data", token=token)
    return _show(request, "withdraw", invitation, token)


@leaves(Kind.EXPORTED)
@never_cache
@require_POST
def download(request: HttpRequest, token: str) -> HttpResponseBase:
    """Send everything that the candidate gave, as a ZIP."""
    now = timezone.now()
    try:
        invitation = links.find_for_data(token, now=now)
    except links.LinkProblem as problem:
        return _problem(request, problem)
    links.about_candidate(invitation)
    wait_s = limits.wait_s(invitation)
    if wait_s is not None:
        response = _show(request, "data", invitation, token, wait=_wait(invitation, wait_s), status=429)
        response["Retry-After"] = str(wait_s)
        return response
    pieces = package.stream(invitation, now=now)
    return downloads.streamed(request, pieces, name="interview.zip", content_type="application/zip")


def _wait(invitation: Invitation, wait_s: int) -> str:
    minutes = -(-wait_s // 60)
    with override(links.page_language(invitation)):
        return ngettext(
            "You have downloaded it several times. You can do so again in %(n)d minute.",
            "You have downloaded it several times. You can do so again in %(n)d minutes.",
            minutes,
        ) % {"n": minutes}


def _show(
    request: HttpRequest, page: str, invitation: Invitation, token: str, *, wait: str = "", status: int = 200
) -> HttpResponse:
    session = Session.objects.filter(invitation=invitation).first()
    context = {
        **links.look(invitation),
        "token": token,
        "holdings": holdings.of(invitation),
        "withdrawn_at": session and session.withdrawn_at,
        "is_under_way": session is not None and session.status in states.OPEN_SESSION_STATUSES,
        "shows_answers": links.corrected_until(session) is not None,
        "hold": retention.hold_of(invitation),
        "asked_at": invitation.erasure_requested_at,
        "erased_on": retention.erased_on(invitation),
        "wait": wait,
    }
    return render(request, f"interviews/privacy/{page}.html", context, status=status)


def _problem(request: HttpRequest, problem: links.LinkProblem) -> HttpResponse:
    of_candidate = links.look(problem.invitation) if problem.invitation else {"organisation": None}
    language = links.page_language(problem.invitation)
    context = {"page_language": language, **of_candidate, "problem": problem.kind}
    status = 404 if problem.kind == "unknown" else 410
    return render(request, "interviews/link_problem.html", context, status=status)


def _erase(request: HttpRequest, invitation: Invitation, token: str) -> HttpResponse:
    context = {**links.look(invitation), "store": invitation.token}
    try:
        if erasure.ask(invitation=invitation, now=timezone.now()) is None:  # on hold
            return redirect("interviews:data", token=token)
    except WrongState:
        return _problem(request, links.LinkProblem("unknown"))
    return render(request, "interviews/privacy/erased.html", context)
