"""The product's tables, one model a file."""

from interviews.models.accommodation import Accommodation
from interviews.models.answer import Answer
from interviews.models.answered_request import AnsweredRequest
from interviews.models.bank import BankQuestion
from interviews.models.batch import InvitationBatch
from interviews.models.correction import Correction
from interviews.models.decision import Decision
from interviews.models.draft_evaluation import DraftEvaluation, DraftRequest, Suggestion
from interviews.models.erasure import Erasure
from interviews.models.exchange import Exchange
from interviews.models.export import Export
from interviews.models.groups import GroupDeclaration, GroupSurvey, ImpactReport
from interviews.models.hold import LegalHold
from interviews.models.interview import Interview
from interviews.models.invitation import Invitation
from interviews.models.job_description import JobDescription
from interviews.models.message import MailTemplate, Message
from interviews.models.note import Mention, Note
from interviews.models.observation import Observation
from interviews.models.open_link import Application, OpenLink
from interviews.models.question import Question
from interviews.models.rubric import Criterion
from interviews.models.scorecard import Assignment, Scorecard, Submission
from interviews.models.search_entry import SearchEntry
from interviews.models.session import Session
from interviews.models.version import InterviewVersion
from interviews.models.vocabulary import Vocabulary
from interviews.models.webhook import (
    EventFeed,
    EventType,
    WebhookAttempt,
    WebhookDelivery,
    WebhookEndpoint,
    WebhookEvent,
)

__all__ = [
    "Accommodation",
    "Answer",
    "AnsweredRequest",
    "Application",
    "Assignment",
    "BankQuestion",
    "Correction",
    "Criterion",
    "Decision",
    "DraftEvaluation",
    "DraftRequest",
    "Erasure",
    "EventFeed",
    "EventType",
    "Exchange",
    "Export",
    "GroupDeclaration",
    "GroupSurvey",
    "ImpactReport",
    "Interview",
    "InterviewVersion",
    "Invitation",
    "InvitationBatch",
    "JobDescription",
    "LegalHold",
    "MailTemplate",
    "Mention",
    "Message",
    "Note",
    "Observation",
    "OpenLink",
    "Question",
    "Scorecard",
    "SearchEntry",
    "Session",
    "Submission",
    "Suggestion",
    "Vocabulary",
    "WebhookAttempt",
    "WebhookDelivery",
    "WebhookEndpoint",
    "WebhookEvent",
]
