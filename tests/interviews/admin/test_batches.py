"""A spreadsheet on its way through the admin's pages."""

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse

from accounts.models import Membership
from interviews.actions import batches
from interviews.models import Invitation, InvitationBatch, Message
from tests import factories

pytestmark = pytest.mark.usefixtures("clean_redis")

Role = Membership.Role
ROWS = "name,email\nAda,ada@example.org\nBob,bob@\n"


@pytest.fixture(autouse=True)
def server(settings):
    settings.EMAIL_URL = "smtp://localhost"


def upload(client, interview, content=ROWS, **fields):
    form = {"expires_at_0": "2100-01-01", "expires_at_1": "12:00", "is_mailed": "on", **fields}
    form["file"] = SimpleUploadedFile("candidates.csv", content.encode())
    address = reverse("admin:interviews_invitationbatch_upload", args=[interview.pk])
    return client.post(address, {name: value for name, value in form.items() if value is not None})


def page(client, batch):
    return client.get(reverse("admin:interviews_invitationbatch_change", args=[batch.pk])).content.decode()


def post(client, name, batch):
    return client.post(reverse(f"admin:interviews_invitationbatch_{name}", args=[batch.pk]))


def test_from_a_file_to_invitations_and_back(client, member, interview):
    recruiter = member(Role.RECRUITER)
    response = upload(client, interview)
    batch = InvitationBatch.objects.get()
    assert response["Location"] == reverse("admin:interviews_invitationbatch_change", args=[batch.pk])
    assert "is no e-mail address" in page(client, batch)
    assert "Invite 1 candidate" in page(client, batch)
    assert not Invitation.objects.exists()

    post(client, "start", batch)
    batches.run(batch_id=batch.pk, now=batch.created_at)

    assert "1 of 1 invited" in page(client, batch)
    assert Invitation.objects.get().created_by == recruiter
    assert Message.objects.get().invitation.candidate_email == "ada@example.org"

    post(client, "undo", batch)
    assert "taken back" in page(client, batch)
    assert not Invitation.objects.exists()


@pytest.mark.parametrize(
    ("content", "fields", "reason"),
    [
        ("", {}, "empty"),
        ("1,2\n", {}, "No column of names"),
        (ROWS, {"expires_at_0": "2000-01-01"}, "lies in the past"),
        (ROWS, {"expires_at_0": "soon"}, "valid"),
    ],
)
def test_what_is_wrong_stands_at_its_field(client, member, interview, content, fields, reason):
    member(Role.RECRUITER)
    assert reason in upload(client, interview, content, **fields).content.decode()
    assert not InvitationBatch.objects.exists()


def test_without_a_mail_server_no_mail_is_promised(client, member, interview, settings):
    settings.EMAIL_URL = ""
    member(Role.RECRUITER)
    upload(client, interview)
    assert not InvitationBatch.objects.get().is_mailed


def test_draft_takes_no_spreadsheet(client, member, ours):
    member(Role.RECRUITER)
    draft = factories.InterviewFactory(organisation=ours, questions=1, published=False)
    assert "publish it" in upload(client, draft).content.decode().lower()


def test_names_in_a_file_are_escaped(client, member, interview):
    member(Role.RECRUITER)
    upload(client, interview, "name,email\n<script>alert(1)</script>,a@example.org\n<b>x,no\n")
    text = page(client, InvitationBatch.objects.get())
    assert "<script>alert(1)" not in text
    assert "<b>x" not in text
