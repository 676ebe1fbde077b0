"""The page with the reports about self-declared groups, for owners, and the tables to take away."""

from typing import cast
from uuid import UUID

from django.contrib import admin
from django.core.paginator import Paginator
from django.db.models import QuerySet
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404
from django.template.response import TemplateResponse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from accounts import access
from accounts.models import User
from interviews.actions import groups
from interviews.analytics import impact_panels, panels
from interviews.exports import downloads, names, tables
from interviews.models import ImpactReport
from interviews.queries import impact

SHOWN = 4
"""Reports on a page: those of a year, if an organisation has one a quarter."""


def _reports(request: HttpRequest) -> QuerySet[ImpactReport]:
    rows = access.scoped(
        ImpactReport.objects.all(), cast("User", request.user), path="organisation_id", roles=access.OWNERS
    )
    return rows.select_related("organisation").prefetch_related("interviews")


@require_safe
def impact_page(request: HttpRequest) -> HttpResponseBase:
    """Show the reports, the newest first."""
    page = Paginator(_reports(request), SHOWN).get_page(request.GET.get("page"))
    context = {
        **admin.site.each_context(request),
        "title": _("Adverse impact"),
        "page": page,
        "reports": [(report, impact_panels.of(report)) for report in page],
        "least_declared": groups.LEAST_DECLARED,
        "settles_days": groups.SETTLES.days,
        "least_people": impact.LEAST_PEOPLE,
    }
    return TemplateResponse(request, "admin/interviews/analytics/impact.html", context)


@require_safe
def export(request: HttpRequest, report_id: UUID, kind: str) -> HttpResponseBase:
    """Return a report as a table, a row for each figure of the tables on the page, and nothing else."""
    report = get_object_or_404(_reports(request), pk=report_id)
    written = tables.KINDS[kind]
    file = written.write(panels.header(), panels.as_rows(impact_panels.of(report)))
    title = _("adverse impact")
    name = f"{names.of_list(title, report.counted_at)}.{kind}"
    return downloads.streamed(request, downloads.Blocks(file), name=name, content_type=written.content_type)
