"""Vocabularies in the admin: of an organisation, and of an interview."""

import pytest
from django.urls import reverse

from accounts.models import Membership
from interviews.models import Interview, Vocabulary
from tests import factories
from tests.interviews.admin.test_interview_admin import form
from voice.models import Speech

Role = Membership.Role
ADD = "admin:interviews_vocabulary_add"

pytestmark = pytest.mark.usefixtures("clean_redis")


def test_vocabulary_is_kept_tidy_one_a_language(client, member, ours):
    member()
    posted = {"organisation": ours.pk, "language": "en", "text": "Kafka \n\nNguyen=win"}
    assert client.post(reverse(ADD), posted).status_code == 302
    assert Vocabulary.objects.get().text == "Kafka\nNguyen = win"
    assert (
        "There is a vocabulary for this language already"
        in client.post(reverse(ADD), posted).content.decode()
    )
    assert client.post(reverse(ADD), posted | {"language": "de"}).status_code == 302


def test_interviews_are_spoken_again_when_a_vocabulary_is_saved_or_deleted(client, member, ours, queued):
    member()
    interview = factories.InterviewFactory(organisation=ours, introduction="Nguyen asks you.")
    posted = {"organisation": ours.pk, "language": "en", "text": "Nguyen = win"}
    client.post(reverse(ADD), posted)
    assert Speech.objects.filter(text="win asks you.").exists()

    chosen = {"action": "delete_selected", "_selected_action": Vocabulary.objects.get().pk, "post": "yes"}
    client.post(reverse("admin:interviews_vocabulary_changelist"), chosen)
    assert not Vocabulary.objects.exists()
    assert Speech.objects.filter(text=interview.introduction).exists()


def test_page_says_which_line_is_wrong(client, member, ours):
    member()
    posted = {"organisation": ours.pk, "language": "en", "text": "Kafka\nKafka"}
    assert "“Kafka” stands there twice." in client.post(reverse(ADD), posted).content.decode()
    assert not Vocabulary.objects.exists()


@pytest.mark.parametrize("role", [Role.REVIEWER, None])
def test_vocabularies_are_for_those_who_write_interviews(client, member, theirs, role):
    Vocabulary.objects.create(organisation=theirs, language="en", text="Project Quokka")
    member(role or Role.OWNER)
    response = client.get(reverse("admin:interviews_vocabulary_changelist"))
    assert response.status_code == (403 if role else 200)
    assert "Theirs" not in response.content.decode()


def test_interview_has_a_vocabulary_of_its_own_to_try_with_the_organisations(client, member, ours):
    Vocabulary.objects.create(organisation=ours, language="en", text="Redis")
    member()
    posted = form("Why?", vocabulary="Kafka\nNguyen = win")
    client.post(reverse("admin:interviews_interview_add"), posted)
    interview = Interview.objects.get()
    assert interview.vocabulary == "Kafka\nNguyen = win"
    page = client.get(reverse("admin:interviews_interview_change", args=[interview.pk])).content.decode()
    assert 'data-vocabulary="id_vocabulary" data-hot-words="Redis"' in page


@pytest.mark.parametrize(
    ("field", "value", "why"),
    [("vocabulary", "a, b", "without commas"), ("deadline", ("2020-01-01", "10:00"), "This time is over")],
)
def test_bad_value_is_the_fields_error(client, member, ours, field, value, why):
    member()
    posted = form("Why?")
    posted |= (
        {field: value} if isinstance(value, str) else {f"{field}_{n}": each for n, each in enumerate(value)}
    )
    assert why in client.post(reverse("admin:interviews_interview_add"), posted).content.decode()
    assert not Interview.objects.exists()
