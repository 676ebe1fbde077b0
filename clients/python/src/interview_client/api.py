"""The calls of the API. Each function returns a call to send, and nothing is sent here.

`if_match` of a change is the ETag that `Client.read` returned; "*" overwrites whatever is there.

`Call` is for `Client.send`, `Pages` for `Client.all`. /api/docs of the platform describes each address.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Literal, TypeVar

from interview_client import types
from interview_client.calls import Call, Pages, given

T = TypeVar("T")
PAGE = 100


def first(pages: Pages[T]) -> Call[types.Page[T]] | None:
    """Return the call of a list's first page."""
    return Call("GET", pages.path, {"limit": PAGE, **pages.params})


def following(pages: Pages[T], page: types.Page[T]) -> Call[types.Page[T]] | None:
    """Return the call of the page after this one; None: it was the last."""
    if not page["next"]:
        return None
    return Call("GET", pages.path, {"limit": PAGE, **pages.params, "cursor": page["next"]})


# Interviews


def interviews() -> Pages[types.Interview]:
    return Pages("/interviews")


def interview(interview_id: str) -> Call[types.Interview]:
    return Call("GET", f"/interviews/{interview_id}")


def create_interview(**values: Any) -> Call[types.Interview]:
    """Write a draft. values: title, consent_text, questions=[{"text": …}] and more; see /api/docs."""
    return Call("POST", "/interviews", body=values)


def change_interview(
    interview_id: str, changes: Mapping[str, Any], *, if_match: str = "*"
) -> Call[types.Interview]:
    return Call("PATCH", f"/interviews/{interview_id}", body=changes, if_match=if_match)


def publish(interview_id: str) -> Call[types.Interview]:
    return Call("POST", f"/interviews/{interview_id}/publish")


def archive(interview_id: str) -> Call[types.Interview]:
    return Call("POST", f"/interviews/{interview_id}/archive")


# Invitations


def invite(
    interview_id: str,
    *,
    candidate_name: str,
    candidate_email: str = "",
    expires_at: datetime | None = None,
    external_id: str | None = None,
    metadata: Mapping[str, str] | None = None,
) -> Call[types.Invitation]:
    """external_id: by which you know it. metadata: texts that you get back with it."""
    body = given(
        candidate_name=candidate_name,
        candidate_email=candidate_email,
        expires_at=_text(expires_at),
        external_id=external_id,
        metadata=metadata,
    )
    return Call("POST", f"/interviews/{interview_id}/invitations", body=body)


def invitations(**filters: Any) -> Pages[types.InvitationProgress]:
    return Pages("/invitations", given(**filters))


def invitation(invitation_id: str) -> Call[types.InvitationProgress]:
    return Call("GET", f"/invitations/{invitation_id}")


def revoke(invitation_id: str) -> Call[types.InvitationProgress]:
    return Call("POST", f"/invitations/{invitation_id}/revoke")


def erase_candidate(invitation_id: str) -> Call[types.Erasure]:
    return Call("DELETE", f"/invitations/{invitation_id}/candidate")


# Results


def sessions(**filters: Any) -> Pages[types.Session]:
    return Pages("/sessions", given(**filters))


def session(session_id: str) -> Call[types.Session]:
    return Call("GET", f"/sessions/{session_id}")


def session_document(session_id: str) -> Call[dict[str, Any]]:
    """All of it in one document, but for the sound."""
    return Call("GET", f"/sessions/{session_id}/export")


def evaluation(session_id: str) -> Call[types.Evaluation]:
    return Call("GET", f"/sessions/{session_id}/evaluation")


def answers(session_id: str) -> Pages[types.Answer]:
    return Pages(f"/sessions/{session_id}/answers")


def transcript(answer_id: str) -> Call[types.Transcript]:
    return Call("GET", f"/answers/{answer_id}/transcript")


def recording(answer_id: str) -> Call[types.Recording]:
    return Call("GET", f"/answers/{answer_id}/recording")


def candidates(*, search: str | None = None) -> Pages[types.Candidate]:
    return Pages("/candidates", given(search=search))


def candidate(candidate_id: str) -> Call[types.CandidateDetail]:
    return Call("GET", f"/candidates/{candidate_id}")


# Exports


def ask_for_export(
    kind: Literal["candidates_csv", "candidates_xlsx", "recordings_zip"], **filters: Any
) -> Call[types.Export]:
    filters = {name: _text(value) for name, value in filters.items()}
    return Call("POST", "/exports", body={"kind": kind, **given(**filters)})


def export(export_id: str) -> Call[types.Export]:
    return Call("GET", f"/exports/{export_id}")


def delete_export(export_id: str) -> Call[None]:
    return Call("DELETE", f"/exports/{export_id}")


# Events and webhooks


def events(*, after: str = "", limit: int = PAGE) -> Call[types.Events]:
    return Call("GET", "/events", given(after=after or None, limit=limit))


def webhooks() -> Pages[types.Webhook]:
    return Pages("/webhooks")


def add_webhook(url: str, events: Sequence[str], *, description: str = "") -> Call[types.WebhookWithSecret]:
    return Call("POST", "/webhooks", body={"url": url, "events": list(events), "description": description})


def webhook(webhook_id: str) -> Call[types.Webhook]:
    return Call("GET", f"/webhooks/{webhook_id}")


def change_webhook(
    webhook_id: str, changes: Mapping[str, Any], *, if_match: str = "*"
) -> Call[types.Webhook]:
    return Call("PATCH", f"/webhooks/{webhook_id}", body=changes, if_match=if_match)


def delete_webhook(webhook_id: str) -> Call[None]:
    return Call("DELETE", f"/webhooks/{webhook_id}")


def renew_webhook_secret(webhook_id: str) -> Call[types.WebhookWithSecret]:
    return Call("POST", f"/webhooks/{webhook_id}/secret")


def test_webhook(webhook_id: str) -> Call[types.Webhook]:
    return Call("POST", f"/webhooks/{webhook_id}/test")


def deliveries(webhook_id: str, *, status: str | None = None) -> Pages[types.Delivery]:
    return Pages(f"/webhooks/{webhook_id}/deliveries", given(status=status))


def replay(webhook_id: str, delivery_id: str) -> Call[types.Delivery]:
    return Call("POST", f"/webhooks/{webhook_id}/deliveries/{delivery_id}/replay")


# Organisation


def organisation() -> Call[types.Organisation]:
    return Call("GET", "/organisation")


def change_organisation(changes: Mapping[str, Any], *, if_match: str = "*") -> Call[types.Organisation]:
    return Call("PATCH", "/organisation", body=changes, if_match=if_match)


def _text(value: Any) -> Any:
    return value.isoformat() if isinstance(value, datetime) else value
