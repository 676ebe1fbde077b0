"""Admin pages of the product, one model a file."""

from interviews.admin.erasure import ErasureAdmin
from interviews.admin.interview import InterviewAdmin
from interviews.admin.invitation import InvitationAdmin
from interviews.admin.session import SessionAdmin

__all__ = ["ErasureAdmin", "InterviewAdmin", "InvitationAdmin", "SessionAdmin"]
