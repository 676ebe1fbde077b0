"""Admin pages of the product, one model a file."""

from interviews.admin.bank import BankQuestionAdmin
from interviews.admin.erasure import ErasureAdmin
from interviews.admin.hold import LegalHoldAdmin
from interviews.admin.interview import InterviewAdmin
from interviews.admin.invitation import InvitationAdmin
from interviews.admin.session import SessionAdmin
from interviews.admin.vocabulary import VocabularyAdmin
from interviews.drafting.pages import JobDescriptionAdmin
from interviews.groups.survey_page import GroupSurveyAdmin
from interviews.inviting.mail_pages import MailTemplateAdmin, MessageAdmin
from interviews.inviting.pages import BatchAdmin
from interviews.open_links.admin_pages import OpenLinkAdmin
from interviews.webhooks.pages import WebhookDeliveryAdmin, WebhookEndpointAdmin

__all__ = [
    "BankQuestionAdmin",
    "BatchAdmin",
    "ErasureAdmin",
    "GroupSurveyAdmin",
    "InterviewAdmin",
    "InvitationAdmin",
    "JobDescriptionAdmin",
    "LegalHoldAdmin",
    "MailTemplateAdmin",
    "MessageAdmin",
    "OpenLinkAdmin",
    "SessionAdmin",
    "VocabularyAdmin",
    "WebhookDeliveryAdmin",
    "WebhookEndpointAdmin",
]
