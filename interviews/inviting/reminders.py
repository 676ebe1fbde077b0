"""The candidate's page that ends reminders: for people a button, for mail programs one click (RFC 8058)."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods

from interviews.actions import mails
from interviews.queries import links


@csrf_exempt  # mail programs have no cookie; whoever has the link may end its reminders
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def end_reminders(request: HttpRequest, token: str) -> HttpResponse:
    """Ask whether reminders are to end, and end them."""
    try:
        invitation, _session = links.find(token, now=timezone.now(), is_finished_welcome=True)
    except links.LinkProblem as problem:
        language = links.page_language(problem.invitation)
        about = {"problem": problem.kind, "organisation": None, "token": token, "page_language": language}
        return render(request, "interviews/link_problem.html", about, status=404)
    if request.method == "POST":
        mails.end_reminders(invitation=invitation)
    context = {**links.look(invitation), "is_ended": request.method == "POST", "token": token}
    return render(request, "interviews/reminders.html", context)
