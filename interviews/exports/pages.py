"""Admin: the exports of one candidate's interview, and of those that are chosen in the list.

A copy that was taken away is not erased with its candidate. So who may erase may export; reviewers read.
"""

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final, cast
from uuid import UUID

from django.contrib import admin, messages
from django.contrib.admin.models import CHANGE
from django.db.models import QuerySet
from django.http import Http404, HttpRequest
from django.http.response import HttpResponseBase
from django.urls import URLPattern, path
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_safe

from accounts import admin_log
from accounts.audit.doors import Kind, leaves
from accounts.models import User
from accounts.scoped_admin import ScopedModelAdmin
from interviews.exports import archive, candidates, downloads, names, schema, sections, subtitles, tables
from interviews.models import Session
from interviews.queries import records, scores
from interviews.queries.records import Record

ZIP: Final = "application/zip"


class ExportActions(ScopedModelAdmin):
    """Base of the admin of candidates' interviews: their downloads."""

    actions = ["export_csv", "export_xlsx", "export_recordings"]

    def get_urls(self) -> list[URLPattern]:
        own = [
            path(
                f"<uuid:session_id>/export.{kind}",
                self.admin_site.admin_view(require_safe(self.export_view)),
                {"kind": kind},
                name=f"interviews_session_export_{kind}",
            )
            for kind in KINDS
        ]
        return [*own, *super().get_urls()]

    def has_export_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Whether the user may take copies away."""
        return self._is_allowed(request, obj, self.writing_roles)

    @leaves(Kind.EXPORTED)
    def export_view(self, request: HttpRequest, session_id: UUID, kind: str) -> HttpResponseBase:
        """Return one candidate's interview as a file."""
        session = self._exportable(request).filter(pk=session_id).first()
        if session is None:
            raise Http404
        record = records.of(session_id, viewer=cast("User", request.user))
        self._log(request, [session], f"Exported as {kind}.")
        name = f"{names.of_candidate(record.invitation.candidate_name, session_id)}.{kind}"
        return KINDS[kind](request, record, name)

    @leaves(Kind.EXPORTED)
    @admin.action(description=_("Export as CSV"), permissions=["export"])
    def export_csv(self, request: HttpRequest, rows: QuerySet[Session]) -> HttpResponseBase:
        return self._table(request, rows, "csv")

    @leaves(Kind.EXPORTED)
    @admin.action(description=_("Export as XLSX (Excel)"), permissions=["export"])
    def export_xlsx(self, request: HttpRequest, rows: QuerySet[Session]) -> HttpResponseBase:
        return self._table(request, rows, "xlsx")

    @leaves(Kind.EXPORTED)
    @admin.action(description=_("Recordings as ZIP"), permissions=["export"])
    def export_recordings(self, request: HttpRequest, rows: QuerySet[Session]) -> HttpResponseBase | None:
        chosen = self._exportable(request).filter(pk__in=rows.values("pk"))
        found = records.recordings(chosen, at_most=archive.MAX_RECORDINGS + 1)
        if len(found) > archive.MAX_RECORDINGS:
            text = _("More than %d recordings. Choose fewer candidates at once.")
            messages.error(request, text % archive.MAX_RECORDINGS)
            return None
        self._log(request, chosen.select_related("invitation"), "Recordings exported.")
        now = timezone.now()
        pieces = archive.stream(found, now=now)
        title = str(_("recordings"))
        name = f"{names.of_list(title, now)}.zip"
        return downloads.streamed(request, pieces, name=name, content_type=ZIP)

    def _table(self, request: HttpRequest, rows: QuerySet[Session], kind: str) -> HttpResponseBase:
        chosen = self._exportable(request).filter(pk__in=rows.values("pk"))

        def log(chunk: list[Session]) -> None:
            self._log(request, chunk, f"Exported in a list as {kind}.")

        written = tables.KINDS[kind]
        asked = scores.criteria_of(chosen)
        viewer = cast("User", request.user)
        rows_written = candidates.rows(chosen, asked, viewer=viewer, on_chunk=log)
        file = written.write(candidates.header(asked, viewer=viewer), rows_written)
        name = f"{names.of_list(str(_('candidates')), timezone.now())}.{kind}"
        return downloads.streamed(
            request, downloads.Blocks(file), name=name, content_type=written.content_type
        )

    def _exportable(self, request: HttpRequest) -> QuerySet[Session]:
        """Return what the user may export: trials are nobody's."""
        rows: Any = self.writable(request)
        return rows.counted()

    def _log(self, request: HttpRequest, sessions: Iterable[Session], message: str) -> None:
        """Say in the admin's log whose interview was exported. An erasure finds the invitation's entries."""
        invitations = [session.invitation for session in sessions]
        admin_log.record(request.user, invitations, CHANGE, message)


def _pdf(request: HttpRequest, record: Record, name: str) -> HttpResponseBase:
    from interviews.exports import pdf  # its libraries take a second to load, and few processes need them

    title = f"{record.invitation.candidate_name} – {record.version.title}"
    content = pdf.write(sections.of(record), title=title, now=timezone.now())
    return downloads.whole(content, name=name, content_type="application/pdf")


def _json(request: HttpRequest, record: Record, name: str) -> HttpResponseBase:
    content = schema.described(record, now=timezone.now()).model_dump_json(indent=2)
    return downloads.whole(content, name=name, content_type="application/json")


def _vtt(request: HttpRequest, record: Record, name: str) -> HttpResponseBase:
    return downloads.whole(subtitles.vtt(record), name=name, content_type="text/vtt; charset=utf-8")


def _zip(request: HttpRequest, record: Record, name: str) -> HttpResponseBase:
    own = Session.objects.filter(pk=record.session.pk)
    rows = records.recordings(own, at_most=archive.MAX_RECORDINGS)
    pieces = archive.stream(rows, now=timezone.now())
    return downloads.streamed(request, pieces, name=name, content_type=ZIP)


KINDS: Final[Mapping[str, Callable[[HttpRequest, Record, str], HttpResponseBase]]] = {
    "pdf": _pdf,
    "json": _json,
    "vtt": _vtt,
    "zip": _zip,
}
"""How one candidate's interview can be taken away, by the ending of the file."""
