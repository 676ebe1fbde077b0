"""The candidate's own page: what is held, and the button that erases it."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from accounts.audit.doors import leaves
from interviews.actions import erasure
from interviews.actions.errors import WrongState
from interviews.models import Invitation
from interviews.queries import holdings, links


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
        return _erase(request, invitation)
    name = "confirm" if request.method == "POST" else "data"
    context = {**links.look(invitation), "token": token, "holdings": holdings.of(invitation)}
    return render(request, f"interviews/privacy/{name}.html", context)


def _problem(request: HttpRequest, problem: links.LinkProblem) -> HttpResponse:
    of_candidate = links.look(problem.invitation) if problem.invitation else {"organisation": None}
    language = links.page_language(problem.invitation)
    context = {"page_language": language, **of_candidate, "problem": problem.kind}
    status = 404 if problem.kind == "unknown" else 410
    return render(request, "interviews/link_problem.html", context, status=status)


def _erase(request: HttpRequest, invitation: Invitation) -> HttpResponse:
    context = {**links.look(invitation), "store": invitation.token}
    try:
        erasure.erase_candidate(invitation=invitation, by=invitation, now=timezone.now())
    except WrongState:
        return _problem(request, links.LinkProblem("unknown"))
    return render(request, "interviews/privacy/erased.html", context)
