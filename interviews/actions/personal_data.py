"""The registry of everything that the platform keeps: what is personal, and what is not and why.

It adds the stores of interviews to those of the speech service. A test refuses a table or a key of Redis that
neither `STORES` nor `WITHOUT_PERSONAL_DATA` covers.
"""

from collections.abc import Iterable, Mapping
from typing import Final
from uuid import UUID

from django.db.models import QuerySet

from accounts import admin_log
from interviews.actions import batches, exports, idempotency, outbox
from interviews.admission import places, tabs, time_spent
from interviews.models import (
    Accommodation,
    Answer,
    Assignment,
    Correction,
    Decision,
    DraftEvaluation,
    DraftRequest,
    EventType,
    Exchange,
    Export,
    GroupDeclaration,
    Invitation,
    LegalHold,
    Mention,
    Message,
    Note,
    Observation,
    Scorecard,
    SearchEntry,
    Session,
    Submission,
    Suggestion,
    WebhookEvent,
)
from voice.models import PendingErasure
from voice.privacy import stores as speech
from voice.privacy.stores import Registered, with_row

CANDIDATE, ADMIN_LOG, PRESENCE, TOLD = "candidate", "admin_log", "presence", "told"
ANSWERED, EXPORTED = "answered", "exported"
SPREADSHEETS = "spreadsheets"


def _erase_candidate(invitation_id: str) -> None:
    for rows in reversed(_rows_of_candidate(invitation_id)):
        rows.delete()


def _find_candidate(invitation_id: str) -> list[str]:
    return [f"{rows.model.__name__} {row.pk}" for rows in _rows_of_candidate(invitation_id) for row in rows]


def _rows_of_candidate(invitation_id: str) -> list[QuerySet]:
    key = UUID(invitation_id)
    return [
        Invitation.objects.filter(pk=key),
        Session.objects.filter(invitation=key),
        Observation.objects.filter(session__invitation=key),
        Answer.objects.filter(session__invitation=key),
        SearchEntry.objects.filter(answer__session__invitation=key),
        Correction.objects.filter(answer__session__invitation=key),
        Exchange.objects.filter(answer__session__invitation=key),
        DraftEvaluation.objects.filter(session__invitation=key),
        DraftRequest.objects.filter(draft__session__invitation=key),
        Suggestion.objects.filter(draft__session__invitation=key),
        LegalHold.objects.filter(invitation=key),
        Message.objects.filter(invitation=key),
        Assignment.objects.filter(session__invitation=key),
        Scorecard.objects.filter(session__invitation=key),
        Submission.objects.filter(scorecard__session__invitation=key),
        Decision.objects.filter(session__invitation=key),
        Note.objects.filter(session__invitation=key),
        Mention.objects.filter(note__session__invitation=key),
        Accommodation.objects.filter(invitation=key),
        GroupDeclaration.objects.filter(invitation=key),
    ]


def _erase_told(invitation_id: str) -> None:
    outbox.take_back(UUID(invitation_id))


def _find_told(invitation_id: str) -> list[str]:
    told = WebhookEvent.objects.filter(subject=UUID(invitation_id)).exclude(data={})
    return [f"WebhookEvent {row.pk}" for row in told.exclude(type=EventType.CANDIDATE_ERASED)]


def _erase_exported(invitation_id: str) -> None:
    exports.end(UUID(invitation_id), erasure=None)


def _find_exported(invitation_id: str) -> list[str]:
    named = Export.objects.filter(candidates__contains=[UUID(invitation_id)])
    return [f"Export {row.pk}" for row in named]


def _erase_answered(invitation_id: str) -> None:
    idempotency.take_back(UUID(invitation_id))


def _find_answered(invitation_id: str) -> list[str]:
    return [f"AnsweredRequest {row.pk}" for row in idempotency.about(UUID(invitation_id))]


def _erase_from_spreadsheets(invitation_id: str) -> None:
    """Only while the candidate's row is there, which knows the address."""
    for invitation in Invitation.objects.filter(pk=UUID(invitation_id)).select_related("interview"):
        batches.forget(invitation)


def _find_in_spreadsheets(invitation_id: str) -> list[str]:
    rows = Invitation.objects.filter(pk=UUID(invitation_id)).select_related("interview")
    return [f"InvitationBatch {batch.pk}" for row in rows for batch in batches.refusing(row)]


def _erase_presence(session_id: str) -> None:
    tabs.forget(session_id)
    places.forget(session_id)
    time_spent.forget(session_id)


def _find_presence(session_id: str) -> list[str]:
    return [*tabs.find(session_id), *places.find(session_id), *time_spent.find(session_id)]


STORES: Final[Mapping[str, Registered]] = {
    CANDIDATE: Registered(
        _erase_candidate,
        _find_candidate,
        tables=(
            *("interviews.Invitation", "interviews.Session", "interviews.Answer", "interviews.Correction"),
            *("interviews.Exchange", "interviews.Message", "interviews.Observation"),
            *("interviews.DraftEvaluation", "interviews.DraftRequest", "interviews.Suggestion"),
            *("interviews.Assignment", "interviews.Scorecard", "interviews.Submission"),
            *("interviews.Decision", "interviews.Note", "interviews.Mention"),
            *("interviews.Accommodation", "interviews.LegalHold"),
            *("interviews.SearchEntry", "interviews.GroupDeclaration"),
        ),
    ),
    ADMIN_LOG: Registered(
        lambda invitation_id: admin_log.replace_ids(Invitation, [invitation_id], by="erased"),
        lambda invitation_id: admin_log.find(Invitation, [invitation_id]),
        tables=("admin.LogEntry",),
    ),
    EXPORTED: Registered(
        _erase_exported,
        _find_exported,
        tables=("interviews.Export",),
        files="exports/",
        alive=with_row(Export.objects.all()),
    ),
    SPREADSHEETS: Registered(
        _erase_from_spreadsheets, _find_in_spreadsheets, tables=("interviews.InvitationBatch",)
    ),
    TOLD: Registered(_erase_told, _find_told, tables=("interviews.WebhookEvent",)),
    ANSWERED: Registered(_erase_answered, _find_answered, tables=("interviews.AnsweredRequest",)),
    PRESENCE: Registered(
        _erase_presence,
        _find_presence,
        tables=(),
        redis_keys=("interviews:session:*", "interviews:admission:*"),
    ),
    **speech.STORES,
}
"""The key of a store is the id of the invitation, of the session, or what the speech service names."""

WITHOUT_PERSONAL_DATA: Final[Mapping[str, str]] = {
    **speech.WITHOUT_PERSONAL_DATA,
    "interviews.Erasure": "what is left for statistics; random ids while an erasure is under way",
    "interviews.GroupSurvey": "which groups an organisation asks for",
    "interviews.ImpactReport": "numbers of candidates; each group has ten or more",
    "interviews.ImpactReport_interviews": "which interviews a report counts",
    "interviews.Interview": "what recruiters ask, and in which words; no candidate is named",
    "interviews.InterviewVersion": "the same, as it was published",
    "interviews.JobDescription": "of a job, and what the language model made of it; no candidate is named",
    "interviews.OpenLink": "an address for everybody",
    "interviews.Application": "names and addresses until they are confirmed, a day at most",
    "interviews.Question": "what recruiters ask",
    "interviews.Criterion": "by what reviewers score; no candidate is named",
    "interviews.Criterion_questions": "which questions are about a criterion",
    "interviews.BankQuestion": "what recruiters may ask",
    "interviews.Vocabulary": "names and terms of an organisation's work",
    "interviews.MailTemplate": "what an organisation writes to all candidates",
    "interviews.EventFeed": "how many events an organisation had",
    "interviews.WebhookEndpoint": "addresses of other systems",
    "interviews.WebhookDelivery": "whether another system was told",
    "interviews.WebhookAttempt": "when it was tried, and the HTTP status",
    "accounts.Organisation": "the tenant",
    "accounts.User": "people who work with the platform; the organisation deactivates them",
    "accounts.Membership": "the roles of people who work with the platform",
    "accounts.ColleagueInvitation": "addresses of people who are to work with the platform",
    "accounts.ApiKey": "the keys of other systems",
    "accounts.AuditEntry": "that something happened, with random ids; no name, no text; ends by months",
    "accounts.AuditLink": "keyed hashes of entries of the audit",
    "accounts.AuditCheckpoint": "where the audit begins",
    "accounts.User_groups": "not used",
    "accounts.User_user_permissions": "not used",
    "auth.Group": "not used",
    "auth.Group_permissions": "not used",
    "auth.Permission": "Django's list of permissions",
    "contenttypes.ContentType": "Django's list of models",
    "django_rq.Dashboard": "has no table",
    "voice:own-data:*": "a keyed hash of an id and how often it downloaded; an hour",
    "voice:changes-of-heard:*": "a keyed hash of an id and how often it corrected; ten minutes",
    "sessions.Session": "not used; accounts.BrowserSession took its place",
    "accounts.BrowserSession": "who works here is signed in, in which browser and network; ends by itself",
    "mfa.Authenticator": "second factors of people who work with the platform, encrypted; they remove them",
    "socialaccount.SocialAccount": "which person of the identity provider an account belongs to: a number",
    "socialaccount.SocialApp": "not used: the provider is configured by settings",
    "socialaccount.SocialToken": "not used: no token of the provider is kept",
    "account.EmailAddress": "not used",
    "account.EmailConfirmation": "not used",
    "asgi:*": "names of open connections in the channel layer; nothing is kept there",
}


def pending(keys: Iterable[str]) -> list[str]:
    """Return what the speech service still erases of these keys."""
    rows = PendingErasure.objects.filter(key__in=list(keys))
    return [str(row) for row in rows]
