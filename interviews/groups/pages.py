"""The candidate's page after the interview: to which groups do you belong? Nothing depends on it."""

from uuid import UUID, uuid4

from django.conf import settings
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

COOKIE = "groups"
"""By it the browser that sent something can change it. It tells neither what, nor whether anything."""


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def declare(request: HttpRequest, token: str) -> HttpResponse:
    """Ask, and keep what is said. What was said before is not shown: others may have the link."""
    try:
        invitation, session = links.find(token, now=timezone.now(), is_finished_welcome=True)
    except links.LinkProblem:
        return redirect("interviews:landing", token=token)
    if session is None or session.finished_at is None:
        return redirect("interviews:landing", token=token)
    sent = request.POST if request.method == "POST" else None
    form = DeclarationForm(sent, asked=groups.questions_for(invitation))
    if sent is not None:
        return _declared(request, invitation, token, form)
    if not groups.is_asked(invitation, session):
        can_take_back = groups.may_be_kept(invitation, session)
        return _show(request, invitation, token, "closed", status=410, can_take_back=can_take_back)
    return _show(request, invitation, token, "form", form=form)


def _declared(
    request: HttpRequest, invitation: Invitation, token: str, form: DeclarationForm
) -> HttpResponse:
    if not form.is_valid():  # the questions were changed meanwhile
        return _show(request, invitation, token, "form", form=form, status=422)
    key = _key(request, invitation) or uuid4()
    try:
        actions.declare(
            invitation=invitation, groups_named=form.named(), key=key, by=invitation, now=timezone.now()
        )
    except ActionRefused:
        return _show(request, invitation, token, "closed", status=410)
    response = _show(request, invitation, token, "thanks")
    _remember(response, request, invitation, key)
    return response


def _key(request: HttpRequest, invitation: Invitation) -> UUID | None:
    written = request.get_signed_cookie(COOKIE, default=None, salt=f"{COOKIE} {invitation.pk}")
    return UUID(written) if written else None


def _remember(response: HttpResponse, request: HttpRequest, invitation: Invitation, key: UUID) -> None:
    response.set_signed_cookie(
        COOKIE,
        str(key),
        salt=f"{COOKIE} {invitation.pk}",
        max_age=settings.ANSWERS_SHOWN_DAYS * 24 * 3600,  # as long as the page can be opened
        path=request.path,
        secure=settings.SESSION_COOKIE_SECURE,
        httponly=True,
        samesite="Lax",
    )


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
