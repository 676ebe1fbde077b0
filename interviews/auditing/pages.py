"""The audit: searched, and taken away as CSV or JSON. Both leave entries themselves."""

import json
from collections.abc import Iterator
from typing import Any, Final, cast
from urllib.parse import urlencode

from django.contrib import admin
from django.core.serializers.json import DjangoJSONEncoder
from django.db.models import Q, QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.template.response import TemplateResponse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from accounts.audit.doors import Kind, leaves
from accounts.audit.models import AuditEntry, AuditLink
from accounts.models import User
from interviews.auditing import shown
from interviews.auditing.forms import AuditForm
from interviews.exports import downloads, names, tables

ON_A_PAGE: Final = 50
AT_ONCE: Final = 2000
COLUMNS: Final = (
    *("at", "kind", "outcome", "actor", "person_id", "key_id", "door", "row", "candidates", "address"),
    *("request", "filter", "organisation_id", "id", "number", "mac"),
)


@leaves(Kind.LISTED)
@require_safe
def audit_page(request: HttpRequest) -> HttpResponse:
    """List the entries that the address asks for, the newest first."""
    form = AuditForm(request.GET, user=cast("User", request.user))
    found = form.page(ON_A_PAGE + 1)
    asked = {name: value for name, value in request.GET.items() if name in form.fields and value}
    asked.pop("before", None)
    context = {
        **admin.site.each_context(request),
        "title": _("Audit"),
        "form": form,
        "rows": shown.all_of(found[:ON_A_PAGE]),
        "asked": urlencode(asked),
        "next": found[ON_A_PAGE - 1].pk if len(found) > ON_A_PAGE else None,
        "is_first": not request.GET.get("before"),
    }
    return TemplateResponse(request, "admin/interviews/audit/page.html", context)


@leaves(Kind.EXPORTED)
@require_safe
def export(request: HttpRequest, kind: str) -> HttpResponseBase:
    """Return all entries that the address asks for, with their places in the chain. Ids name everybody."""
    form = AuditForm(request.GET, user=cast("User", request.user))
    if not form.is_valid():
        raise Http404
    pieces, content_type = _csv(form.entries) if kind == "csv" else _json(form.entries)
    name = f"{names.of_list(_('audit'), timezone.now())}.{kind}"
    return downloads.streamed(request, pieces, name=name, content_type=content_type)


def _csv(entries: QuerySet[AuditEntry]) -> tuple[Iterator[bytes], str]:
    written = tables.KINDS["csv"]
    rows = ([_cell(entry[name]) for name in COLUMNS] for entry in described(entries))
    return downloads.Blocks(written.write(COLUMNS, rows)), written.content_type


def _cell(value: Any) -> Any:
    if isinstance(value, list):
        return " ".join(map(str, value))
    return json.dumps(value) if isinstance(value, dict) else value if isinstance(value, int) else _text(value)


def _text(value: Any) -> str | None:
    return None if value is None else value if isinstance(value, str) else str(value)


def _json(entries: QuerySet[AuditEntry]) -> tuple[Iterator[bytes], str]:
    encode = DjangoJSONEncoder().encode

    def pieces() -> Iterator[bytes]:
        before = "["
        for entry in described(entries):
            yield f"{before}{encode(entry)}".encode()
            before = ",\n"
        yield b"[]" if before == "[" else b"]"

    return pieces(), "application/json"


def described(entries: QuerySet[AuditEntry]) -> Iterator[dict[str, Any]]:
    """Yield each entry by the names of `COLUMNS`, the newest first, with its number and mac in the chain."""
    last: AuditEntry | None = None
    while chunk := list(_after(entries, last)[:AT_ONCE]):
        links = AuditLink.objects.filter(entry__in=[entry.pk for entry in chunk])
        places = {link.entry: (link.number, bytes(link.mac).hex()) for link in links}
        for entry in chunk:
            number, mac = places.get(entry.pk, (None, None))
            yield {
                **{name: getattr(entry, name) for name in COLUMNS[:-2]},
                "at": entry.at.isoformat(),
                "number": number,
                "mac": mac,
            }
        last = chunk[-1]


def _after(entries: QuerySet[AuditEntry], last: AuditEntry | None) -> QuerySet[AuditEntry]:
    if last is None:
        return entries
    return entries.filter(Q(at__lt=last.at) | Q(at=last.at, pk__lt=last.pk), at__lte=last.at)
