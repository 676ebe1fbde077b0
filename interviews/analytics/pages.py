"""The admin page with the figures, the tables to take away, and the candidates behind a figure."""

from typing import Any, cast

from django.contrib import admin
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest
from django.http.response import HttpResponseBase
from django.template.response import TemplateResponse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from accounts import access
from accounts.audit.doors import Kind, leaves
from accounts.models import User
from interviews.analytics import panels
from interviews.analytics.forms import SelectionForm
from interviews.exports import downloads, names, tables
from interviews.models import Interview
from interviews.queries import progress

SHOWN = 100


@require_safe
def figures_page(request: HttpRequest) -> HttpResponseBase:
    """Show the figures about the candidates that the address chooses."""
    form = SelectionForm(request.GET, user=cast("User", request.user))
    selection = form.selection() if form.is_valid() else None
    context = {
        **admin.site.each_context(request),
        "title": _("Analytics"),
        "form": form,
        "panels": panels.of(selection) if selection else [],
        "address": selection.address if selection else "",
        "agreement_of": _of_owner(form) if selection else None,
    }
    return TemplateResponse(request, "admin/interviews/analytics/figures.html", context)


def _of_owner(form: SelectionForm) -> Interview | None:
    """Return the chosen interview, if its owner looks: only owners see how far reviewers agree."""
    interview = form.cleaned_data["interview"]
    is_owner = interview and access.has_role(form.user, interview.organisation_id, access.OWNERS)
    return interview if is_owner else None


@require_safe
def export(request: HttpRequest, kind: str) -> HttpResponseBase:
    """Return the figures as a table, a row for each. They name no candidate."""
    form = SelectionForm(request.GET, user=cast("User", request.user))
    if not form.is_valid():
        raise Http404
    written = tables.KINDS[kind]
    file = written.write(panels.header(), panels.as_rows(panels.of(form.selection())))
    title = _("analytics")
    name = f"{names.of_list(title, timezone.now())}.{kind}"
    return downloads.streamed(request, downloads.Blocks(file), name=name, content_type=written.content_type)


@require_safe
@leaves(Kind.LISTED)
def behind(request: HttpRequest) -> HttpResponseBase:
    """List the candidates who are counted in a figure, the newest first."""
    form = SelectionForm(request.GET, user=cast("User", request.user))
    number = request.GET.get("number", "0")
    if not form.is_valid() or not (number.isascii() and number.isdigit() and len(number) < 6):
        raise Http404
    selection = form.selection()
    rows: Any = panels.behind(selection, request.GET.get("figure", ""), int(number))
    if rows is None:
        raise Http404
    found = progress.of_invitations(rows.select_related("interview", "session").order_by("-created_at", "pk"))
    page = Paginator(found, SHOWN).get_page(request.GET.get("page"))
    context = {
        **admin.site.each_context(request),
        "title": _("Candidates behind a figure"),
        "page": page,
        "rows": [(row, progress.of(row)) for row in page],
        "address": selection.address,
        "figure": request.GET["figure"],
        "number": number,
    }
    return TemplateResponse(request, "admin/interviews/analytics/behind.html", context)
