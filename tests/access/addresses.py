"""Every address of the platform, with the rows of one organisation in it."""

from collections.abc import Iterator
from typing import Any, NamedTuple
from uuid import uuid4

from django.contrib import admin
from django.contrib.admindocs.views import simplify_regex
from django.contrib.contenttypes.models import ContentType
from django.urls import URLPattern, URLResolver, get_resolver

from interview_platform.routing import websocket_urlpatterns
from tests.access.organisation import Rows

METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")
OF_PAGES = ("GET", "POST")
"""Pages do not look at other methods."""
LAST = ("logout", "/archive", "/restore", "/erasure/candidate/", "}/candidate")
"""Parts of addresses that end what the others need."""
OF_ROWS = {
    *("interview_id", "invitation_id", "session_id", "answer_id", "batch_id", "file_id", "erasure_id"),
    *("candidate_id", "webhook_id", "delivery_id", "export_id"),
    *("object_id", "id", "assignment_id", "mention_id", "note_id", "question_id", "report_id"),
    "bank_question_id",
}
"""Parameters that name a row of the organisation: not found means not admitted."""


class Address(NamedTuple):
    """template: as `/i/{token}/`; path: with values; names_row: it names a row of the organisation."""

    method: str
    template: str
    path: str
    names_row: bool


def all_of(rows: Rows) -> list[Address]:
    """Return every HTTP address with each method: what erases rows comes late, and signing out last."""
    templates = dict.fromkeys(_templates(get_resolver().url_patterns))
    found = [_address(method, template, rows) for method in METHODS for template in templates]
    offered = [one for one in found if one.method in OF_PAGES or one.template.startswith("/api/v1/")]
    return sorted(offered, key=lambda address: [part in address.template for part in LAST])


def body(response: Any) -> bytes:
    """Return what a response says, also of a file that is sent piece by piece."""
    return b"".join(response.streaming_content) if response.streaming else response.content


def read_by_staff(rows: Rows) -> list[Address]:
    """Return what staff and programs read of the product; the speech service knows no candidate."""
    apart = ("/admin/logout", "/admin/speech-engines", "/api/v1/voice")
    return [
        address
        for address in all_of(rows)
        if address.method == "GET" and address.template.startswith(("/admin/", "/api/v1/"))
        if not address.template.startswith(apart)
    ]


def _templates(patterns: list[Any], before: str = "") -> Iterator[str]:
    for pattern in patterns:
        route = before + str(pattern.pattern).removeprefix("^")
        if isinstance(pattern, URLResolver):
            yield from _templates(pattern.url_patterns, route)
        elif isinstance(pattern, URLPattern):
            yield _template(route)


def _template(route: str) -> str:
    """Return `/a/{b}/` for `a/<str:b>/` and for `^a/(?P<b>[0-9]+)/$`."""
    plain = simplify_regex(route).replace("?", "").replace("\\", "")
    parts = [part.partition(">") for part in plain.split("<")]
    return parts[0][0] + "".join(f"{{{name.rpartition(':')[2]}}}{rest}" for name, _, rest in parts[1:])


def _address(method: str, template: str, rows: Rows) -> Address:
    names = {part.partition("}")[0] for part in template.split("{")[1:]}
    values = {name: _value(name, template, rows) for name in names}
    return Address(method, template, template.format(**values), bool(names & OF_ROWS))


def _value(name: str, template: str, rows: Rows) -> Any:
    if name in ("object_id", "id"):
        return rows.of_admin(template)
    known = {
        "interview_id": rows.interview.pk,
        "invitation_id": rows.invitation.pk,
        "session_id": rows.session.pk,
        "question_id": rows.interview.questions.get().pk,
        "answer_id": rows.answer.pk,
        "batch_id": rows.batch.pk,
        "file_id": rows.batch_file.pk,
        "erasure_id": rows.erasure.pk,
        "candidate_id": rows.invitation.pk,
        "webhook_id": rows.webhookendpoint.pk,
        "delivery_id": rows.webhookdelivery.pk,
        "export_id": rows.export.pk,
        "assignment_id": rows.assignment.pk,
        "mention_id": rows.mention.pk,
        "note_id": rows.note.pk,
        "report_id": rows.impactreport.pk,
        "bank_question_id": rows.bankquestion.pk,
        "number": 1,
        "code": "bad_value",
        "content_type_id": ContentType.objects.get_for_model(rows.interview).pk,
        "app_label": "interviews",
        "extension": "vtt",
        "queue_index": 0, "scheduler_index": 0, "connection_index": 0,
    }  # fmt: skip
    if name == "token" and template.startswith("/i/"):
        return rows.invitation.token
    return known.get(name, uuid4().hex * 2 if name == "key" else "unknown")


def admin_actions() -> Iterator[tuple[str, Any]]:
    """Each action of each admin list, as `invitation revoke_selected`, with its admin page."""
    for model, page in admin.site._registry.items():
        for name in page.actions or ():
            yield f"{model._meta.model_name} {getattr(name, '__name__', name)}", page
        yield f"{model._meta.model_name} delete_selected", page


def sockets() -> Iterator[str]:
    """Every WebSocket address."""
    for pattern in websocket_urlpatterns:
        yield _template("/" + str(pattern.pattern).removeprefix("^"))
