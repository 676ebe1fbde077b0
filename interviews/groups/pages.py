"""The candidate's page after the interview: to which groups do you belong? Nothing depends on it."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from interviews.actions import groups as actions
from interviews.actions.errors import ActionRefused
from interviews.groups.forms import DeclarationForm
from interviews.models import Invitation
from interviews.queries import groups, links


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def declare(request: HttpRequest, token: str) -> HttpResponse:
    """Ask, and keep what is said. What was said before is not shown: others may use the same device."""
    try:
        invitation, session = links.find(token, now=timezone.now(), is_finished_welcome=True)
    except links.LinkProblem:
        return redirect("interviews:landing", token=token)
    if session is None or session.finished_at is None:
        return redirect("interviews:landing", token=token)
    if not groups.is_asked(invitation, session):
        return _show(request, invitation, token, "closed", status=410)
    form = DeclarationForm(request.POST or None, asked=groups.questions_for(invitation))
    if request.method != "POST":
        return _show(request, invitation, token, "form", form=form)
    return _declared(request, invitation, token, form)


def _declared(
    request: HttpRequest, invitation: Invitation, token: str, form: DeclarationForm
) -> HttpResponse:
    if not form.is_valid():  # the questions were changed meanwhile
        return _show(request, invitation, token, "form", form=form, status=422)
    try:
        actions.declare(invitation=invitation, groups_named=form.named(), by=invitation, now=timezone.now())
    except ActionRefused:
        return _show(request, invitation, token, "closed", status=410)
    return _show(request, invitation, token, "thanks")


def _show(
    request: HttpRequest,
    invitation: Invitation,
    token: str,
    screen: str,
    *,
    status: int = 200,
    **context: object,
) -> HttpResponse:
    context |= {**links.look(invitation), "screen": screen, "token": token}
    return render(request, "interviews/groups/groups.html", context, status=status)
