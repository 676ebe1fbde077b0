"""Notes about a candidate, in the fragment of the evaluation."""

from collections.abc import Callable
from typing import Any, cast
from uuid import UUID

from django.http import Http404, HttpRequest, HttpResponse
from django.urls import URLPattern
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from accounts.models import User
from interviews.actions import notes
from interviews.evaluation.pages import EvaluationPages, by
from interviews.models import Note, Session


class NotePages(EvaluationPages):
    """Base of the sessions' admin: notes, at addresses below the candidate's."""

    def get_urls(self) -> list[URLPattern]:
        views: dict[str, Callable[..., HttpResponse]] = {
            "notes/": require_POST(self.note_view),
            "notes/<uuid:note_id>/edit/": require_POST(self.edit_note_view),
            "notes/<uuid:note_id>/delete/": require_POST(self.delete_note_view),
        }
        return [*self.addresses(views), *super().get_urls()]

    def note_view(self, request: HttpRequest, session_id: UUID) -> HttpResponse:
        """Write a note."""
        session = self.session_of(request, session_id)
        return self.act(request, session, _("Written."), self._write)

    def _write(self, request: HttpRequest, session: Session) -> None:
        is_shared = request.POST.get("is_shared") == "on"
        notes.write(session=session, text=request.POST.get("text", ""), is_shared=is_shared, **by(request))

    def edit_note_view(self, request: HttpRequest, session_id: UUID, note_id: UUID) -> HttpResponse:
        """Change a note of the user's own."""
        session = self.session_of(request, session_id)
        note = _own_note(request, session, note_id)
        text, is_shared = request.POST.get("text", ""), request.POST.get("is_shared") == "on"

        def edit(*_of: Any) -> None:
            notes.edit(note=note, text=text, is_shared=is_shared, **by(request))

        return self.act(request, session, _("Changed."), edit, edited=note.pk)

    def delete_note_view(self, request: HttpRequest, session_id: UUID, note_id: UUID) -> HttpResponse:
        """Delete a note of the user's own."""
        session = self.session_of(request, session_id)
        note = _own_note(request, session, note_id)
        user = cast("User", request.user)
        return self.act(request, session, _("Deleted."), lambda *_of: notes.delete(note=note, by=user))


def _own_note(request: HttpRequest, session: Session, note_id: UUID) -> Note:
    """Return a note of the user's own about this session. Raises Http404."""
    note = session.notes.filter(pk=note_id, author=cast("User", request.user)).first()
    if note is None:
        raise Http404
    return note
