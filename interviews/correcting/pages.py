"""The candidate's page after the interview: what was heard of each answer, to listen to and to correct.

It is behind the candidate's link and open as long as that shows the answers. Whoever comes earlier or later
is led to the page of the link, which says how things are.
"""

from datetime import datetime
from uuid import UUID

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext, ngettext, override
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from accounts.audit.doors import leaves
from interviews.actions import rewording
from interviews.actions.errors import ActionRefused, BadValue
from interviews.correcting import limits
from interviews.correcting.heard import Heard, answers_of
from interviews.models import Invitation, Session
from interviews.queries import links
from voice.recordings import addresses

SAVED = ("words", "flag", "flag-back", "nothing")
"""What the page may say that it has saved; its address names one of them."""


@leaves()
@never_cache
@require_safe
def heard(request: HttpRequest, token: str) -> HttpResponse:
    """Show all answers."""
    found = _finished(token, timezone.now())
    if found is None:
        return redirect("interviews:landing", token=token)
    return _show(request, token, *found)


@leaves()
@never_cache
@require_POST
def change(request: HttpRequest, token: str, answer_id: UUID) -> HttpResponse:
    """Save other words for an answer, or that it was heard wrongly. What was refused is shown again."""
    now = timezone.now()
    found = _finished(token, now)
    if found is None:
        return redirect("interviews:landing", token=token)
    invitation, session = found
    one = _one(session, answer_id)
    with override(links.page_language(invitation)):
        problem, status = _waits(session), 429
        if not problem:
            try:
                saved = _save(request, one, invitation, now)
            except ActionRefused as refused:
                problem, status = refused.detail, 400 if isinstance(refused, BadValue) else 409
    if problem:
        refused_one = one.refused(request.POST.get("text", ""), problem)
        return _show(request, token, *found, refused=refused_one, status=status)
    address = reverse("interviews:heard", args=[token])
    return redirect(f"{address}?saved={saved}&answer={one.answer.number}#answer-{one.answer.number}")


def _waits(session: Session) -> str:
    """Count the change. Return how long to wait, in words; "" if it may come now."""
    wait_s = limits.wait_s(session)
    if wait_s is None:
        return ""
    minutes = -(-wait_s // 60)
    return ngettext(
        "That was a lot in a short time. Please go on in %(n)d minute.",
        "That was a lot in a short time. Please go on in %(n)d minutes.",
        minutes,
    ) % {"n": minutes}


def _save(request: HttpRequest, one: Heard, invitation: Invitation, now: datetime) -> str:
    """Save what the form asks for. Return which of `SAVED` it was. Raises ActionRefused."""
    match request.POST.get("what"):
        case "flag":
            rewording.flag(answer=one.answer, by=invitation, now=now)
            return "flag"
        case "flag-back":
            rewording.take_flag_back(answer=one.answer, by=invitation, now=now)
            return "flag-back"
        case "words":
            text, shown = request.POST.get("text", ""), request.POST.get("shown", "")
            count = rewording.reword(answer=one.answer, text=text, shown=shown, by=invitation, now=now)
            return "words" if count else "nothing"
        case _:
            raise BadValue(gettext("This page did not understand that. Please load it again."))


@leaves()
@never_cache
@require_safe
def recording(request: HttpRequest, token: str, answer_id: UUID) -> HttpResponse:
    """Redirect to a fresh, short-lived address of the candidate's own recording."""
    found = _finished(token, timezone.now())
    if found is None:
        return redirect("interviews:landing", token=token)
    one = _one(found[1], answer_id)
    address = addresses.temporary_url(one.recording) if one.recording else None
    if address is None:
        raise Http404
    return redirect(address)


def _finished(token: str, now: datetime) -> tuple[Invitation, Session] | None:
    """Return the finished interview of a link, if its candidate may correct what was heard."""
    try:
        invitation, session = links.find(token, now=now, is_finished_welcome=True)
    except links.LinkProblem:
        return None
    if session is None or links.corrected_until(session) is None:
        return None
    links.about_candidate(invitation)
    return invitation, session


def _one(session: Session, answer_id: UUID) -> Heard:
    """Return an answer of this session; no other is found."""
    found = next((one for one in answers_of(session) if one.answer.pk == answer_id), None)
    if found is None:
        raise Http404
    return found


def _show(
    request: HttpRequest,
    token: str,
    invitation: Invitation,
    session: Session,
    *,
    refused: Heard | None = None,
    status: int = 200,
) -> HttpResponse:
    until = links.corrected_until(session)
    answers = [
        refused if refused and refused.answer.pk == one.answer.pk else one for one in answers_of(session)
    ]
    saved = request.GET.get("saved", "")
    context = {
        **links.look(invitation),
        "token": token,
        "answers": answers,
        "until": until,
        "is_open": until is not None and timezone.now() < until,
        "saved": saved if saved in SAVED else "",
        "saved_answer": request.GET.get("answer", ""),
    }
    return render(request, "interviews/correcting/heard.html", context, status=status)
