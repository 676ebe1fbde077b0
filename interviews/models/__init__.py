"""The product's tables, one model a file."""

from interviews.models.answer import Answer
from interviews.models.batch import InvitationBatch
from interviews.models.erasure import Erasure
from interviews.models.exchange import Exchange
from interviews.models.interview import Interview
from interviews.models.invitation import Invitation
from interviews.models.message import MailTemplate, Message
from interviews.models.question import Question
from interviews.models.session import Session
from interviews.models.version import InterviewVersion

__all__ = [
    "Answer",
    "Erasure",
    "Exchange",
    "Interview",
    "InterviewVersion",
    "Invitation",
    "InvitationBatch",
    "MailTemplate",
    "Message",
    "Question",
    "Session",
]
