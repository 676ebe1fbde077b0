"""The pages at an open link: name and address, and the confirmation that comes by e-mail.

What the first page answers does not depend on whether the address is known. The second changes something only
when its button is pressed: mail programs open links to look at them.
"""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from interviews.actions import mails, open_links
from interviews.actions.errors import WrongState
from interviews.models import OpenLink
from interviews.models.question import expected_minutes
from interviews.open_links import limits
from interviews.open_links.forms import ApplicationForm
from interviews.queries import links


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def apply(request: HttpRequest, token: str) -> HttpResponse:
    """Ask for name and address, and send the mail that confirms it."""
    link = open_links.find(token)
    if link is None:
        return _show(request, None, "unknown", status=404)
    if not mails.can_send() or not link.takes_candidates(timezone.now()):
        return _show(request, link, "closed", status=410)
    form = ApplicationForm(request.POST or None)
    if request.method != "POST":
        return _show(request, link, "form", form=form)
    wait_s = limits.wait_s(request, link)
    if wait_s is not None:
        response = _show(request, link, "too_many", minutes=-(-wait_s // 60), status=429)
        response["Retry-After"] = str(wait_s)
        return response
    if not form.is_valid():
        return _show(request, link, "form", form=form, status=422)
    return _applied(request, link, form)


def _applied(request: HttpRequest, link: OpenLink, form: ApplicationForm) -> HttpResponse:
    if limits.may_mail(form.cleaned_data["candidate_email"]):
        try:
            open_links.apply(link=link, **form.cleaned_data, now=timezone.now())
        except open_links.LinkClosed:
            return _show(request, link, "closed", status=410)
    return _show(request, link, "sent", address=form.cleaned_data["candidate_email"])


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def confirm(request: HttpRequest, token: str) -> HttpResponse:
    """Ask to confirm the address, and go on to the interview."""
    now = timezone.now()
    application = open_links.waiting(token, now=now)
    if application is None:
        return _show(request, None, "used", status=410)
    link = application.open_link
    if request.method != "POST":
        return _show(request, link, "confirm", application=application)
    try:
        invitation = open_links.confirm(token=token, now=now)
    except open_links.LinkClosed:
        return _show(request, link, "closed", status=410)
    except WrongState:
        return _show(request, None, "used", status=410)
    return redirect("interviews:landing", token=invitation.token)


def _show(
    request: HttpRequest, link: OpenLink | None, screen: str, *, status: int = 200, **context: object
) -> HttpResponse:
    """Render one of the screens of `open.html`, with what all candidates' pages show."""
    if link is not None:
        definition = link.interview.published
        context |= links.look_of(link.interview, definition)
        context |= {"link": link, "minutes_long": expected_minutes(definition.asked) if definition else 0}
    return render(request, "interviews/open/open.html", {"screen": screen, **context}, status=status)
