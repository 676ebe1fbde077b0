"""What people do is counted once, where it happens."""

import pytest
from django.db import transaction
from django.utils import timezone
from prometheus_client import REGISTRY

from interviews import states
from interviews.actions import deliveries
from interviews.actions.errors import WrongState
from interviews.actions.transitions import move
from interviews.models import Message
from tests import factories

pytestmark = pytest.mark.django_db


def counted(name, **labels):
    return REGISTRY.get_sample_value(name, labels) or 0.0


def test_change_of_status_is_counted_once_it_is_committed(django_capture_on_commit_callbacks):
    invitation = factories.InvitationFactory()
    started = {"kind": "invitation", "status": "started"}
    before = counted("interviews_status_changes_total", **started)

    with django_capture_on_commit_callbacks(execute=True):
        with transaction.atomic():
            move(invitation, states.START_INVITATION, by="a test")
            transaction.set_rollback(True)
        invitation.refresh_from_db()
        move(invitation, states.START_INVITATION, by="a test")
        with pytest.raises(WrongState):
            move(invitation, states.START_INVITATION, by="a test")

    assert counted("interviews_status_changes_total", **started) == before + 1


def test_returned_mail_is_counted_once_although_the_service_tells_it_twice():
    invitation = factories.InvitationFactory()
    message = Message.objects.create(
        invitation=invitation, kind=Message.Kind.REMINDER, status="sent", sent_at=timezone.now(), attempts=1
    )
    before = counted("interviews_mails_total", status="bounced")

    for _ in range(2):
        deliveries.record(message=message, status="bounced", because="bounced", now=timezone.now())

    assert counted("interviews_mails_total", status="bounced") == before + 1
