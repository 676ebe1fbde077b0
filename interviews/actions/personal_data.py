"""The registry of everything that the platform keeps: what is personal, and what is not and why.

It adds the stores of interviews to those of the speech service. A test refuses a table or a key of Redis that
neither `STORES` nor `WITHOUT_PERSONAL_DATA` covers.
"""

from collections.abc import Iterable, Mapping
from typing import Final
from uuid import UUID

from django.db.models import QuerySet

from accounts import admin_log
from interviews.actions import outbox
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
    GroupDeclaration,
    Invitation,
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
from voice.privacy.stores import Registered

CANDIDATE, ADMIN_LOG, PRESENCE, TOLD = "candidate", "admin_log", "presence", "told"


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
            *("interviews.Accommodation", "interviews.SearchEntry", "interviews.GroupDeclaration"),
        ),
    ),
    ADMIN_LOG: Registered(
        lambda invitation_id: admin_log.replace_ids(Invitation, [invitation_id], by="erased"),
        lambda invitation_id: admin_log.find(Invitation, [invitation_id]),
        tables=("admin.LogEntry",),
    ),
    TOLD: Registered(_erase_told, _find_told, tables=("interviews.WebhookEvent",)),
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
    "interviews.InvitationBatch": "rows of a spreadsheet until they are invited or refused, a week at most",
    "interviews.JobDescription": "of a job, and what the language model made of it; no candidate is named",
    "interviews.OpenLink": "an address for everybody",
    "interviews.Application": "names and addresses until they are confirmed, a day at most",
    "interviews.Question": "what recruiters ask",
    "interviews.Criterion": "by what reviewers score; no candidate is named",
    "interviews.Criterion_questions": "which questions are about a criterion",
    "interviews.BankQuestion": "what recruiters may ask",
    "interviews.Vocabulary": "names and terms of an organisation's work",
    "interviews.MailTemplate": "what an organisation writes to all candidates",
    "interviews.WebhookEndpoint": "addresses of other systems",
    "interviews.WebhookDelivery": "whether another system was told",
    "interviews.WebhookAttempt": "when it was tried, and the HTTP status",
    "accounts.Organisation": "the tenant",
    "accounts.User": "people who work with the platform; the organisation deactivates them",
    "accounts.Membership": "the roles of people who work with the platform",
    "accounts.ColleagueInvitation": "addresses of people who are to work with the platform",
    "accounts.ApiKey": "the keys of other systems",
    "accounts.User_groups": "not used",
    "accounts.User_user_permissions": "not used",
    "auth.Group": "not used",
    "auth.Group_permissions": "not used",
    "auth.Permission": "Django's list of permissions",
    "contenttypes.ContentType": "Django's list of models",
    "django_rq.Dashboard": "has no table",
    "sessions.Session": "not used; accounts.BrowserSession took its place",
    "accounts.BrowserSession": "who works with the platform is signed in, in which browser and network; ends by itself",
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
