"""E-mails by a service fail as those by a mail server."""

import pytest
from anymail.exceptions import AnymailAPIError
from anymail.message import AnymailRecipientStatus
from django.core import mail


@pytest.fixture(autouse=True)
def service(settings):
    settings.MAIL_SERVICE = "test"
    settings.EMAIL_BACKEND = "interview_platform.backends.mail.MailServiceBackend"


def send():
    return mail.send_mail("Subject", "Text", None, ["ada@example.com"])


def test_service_sends():
    assert send() == 1
    assert mail.outbox[0].to == ["ada@example.com"]


def test_refused_recipient_is_an_error_of_the_system(monkeypatch):
    refused = {"ada@example.com": AnymailRecipientStatus(message_id=None, status="rejected")}
    monkeypatch.setattr("anymail.backends.test.EmailBackend.parse_recipient_status", lambda *_: refused)
    with pytest.raises(OSError, match="did not take") as error:
        send()
    assert "ada@example.com" not in str(error.value)


def test_service_that_is_away_is_an_error_of_the_system(monkeypatch):
    def fail(*_):
        raise AnymailAPIError

    monkeypatch.setattr("anymail.backends.test.EmailBackend.post_to_esp", fail)
    with pytest.raises(OSError, match="did not take"):
        send()
