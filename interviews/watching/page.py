"""The admin page of interviews under way. Without JavaScript it shows them as they were at its load."""

from typing import cast

from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from accounts.audit.doors import Kind, leaves
from accounts.models import User
from interviews.watching import view
from interviews.watching.view import Shown


@require_safe
@leaves(Kind.LISTED)
def watching_page(request: HttpRequest) -> HttpResponse:
    """Show who is where in an interview, and who has not been seen for long."""
    seen = view.read(cast("User", request.user), Shown.of_address(request.GET.dict()))
    context = {**admin.site.each_context(request), "title": _("Interviews under way"), "view": seen}
    return TemplateResponse(request, "admin/interviews/watching/page.html", context)
