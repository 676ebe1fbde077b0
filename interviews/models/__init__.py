"""The product's tables, one model a file."""

from interviews.models.answer import Answer
from interviews.models.erasure import Erasure
from interviews.models.interview import Interview
from interviews.models.invitation import Invitation
from interviews.models.question import Question
from interviews.models.session import Session

__all__ = ["Answer", "Erasure", "Interview", "Invitation", "Question", "Session"]
