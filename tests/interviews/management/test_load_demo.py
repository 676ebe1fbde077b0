import json
import stat

import pytest
from django.contrib.auth import authenticate
from django.core.management import call_command

from accounts.models import ApiKey, Membership
from interviews.actions.interviews import practice_text
from interviews.models import Interview, Invitation, Question
from tests import factories
from voice.models import Speech

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("clean_redis")]


@pytest.fixture
def load(tmp_path, settings):
    """A function that loads the demo and returns the written facts."""
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]  # saves seconds
    path = tmp_path / "var" / "demo.json"

    def run():
        call_command("load_demo", base_url="http://127.0.0.1:8123/", write=path)
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        return json.loads(path.read_text())

    return run


def test_demo_writes_what_a_person_and_a_script_need(load):
    facts = load()
    assert facts["admin_url"] == "http://127.0.0.1:8123/admin/"
    assert facts["invitation_url"].startswith("http://127.0.0.1:8123/i/")
    assert authenticate(username=facts["username"], password=facts["password"]).is_superuser
    recruiter = authenticate(username=facts["recruiter_username"], password=facts["recruiter_password"])
    assert list(recruiter.roles.values()) == [Membership.Role.RECRUITER]
    for name in ("reviewer", "second_reviewer"):
        reviewer = authenticate(username=facts[f"{name}_username"], password=facts[f"{name}_password"])
        assert list(reviewer.roles.values()) == [Membership.Role.REVIEWER]
    assert ApiKey.find(facts["api_key"]).organisation.name == "Demo organisation"
    assert Invitation.objects.get().url.rsplit("/", 2)[1] in facts["invitation_url"]


def test_demo_has_an_english_and_a_german_interview(load):
    load()
    assert set(Interview.objects.values_list("language", flat=True)) == {"en", "de"}
    english = Question.objects.filter(interview__language="en")
    assert [(q.position, q.retakes) for q in english] == [(1, 0), (2, 1), (3, 0)]


def test_demo_requests_all_speech(load, queued, django_capture_on_commit_callbacks):
    with django_capture_on_commit_callbacks(execute=True):
        load()
    assert Speech.objects.count() == 8
    assert len(queued("tts")) == 8


def test_second_start_keeps_passwords_and_rows(load):
    first = load()
    Interview.objects.filter(language="en").update(job_title="Edited")
    second = load()
    passwords = [name for name in first if name.endswith("password")]
    assert len(passwords) == 4
    assert [second[name] for name in passwords] == [first[name] for name in passwords]
    assert (Interview.objects.count(), Question.objects.count(), Membership.objects.count()) == (2, 6, 4)
    assert Interview.objects.get(language="en").job_title == "Edited"


def test_second_start_gives_a_fresh_link_and_key(load):
    first, second = load(), load()
    assert first["invitation_url"] != second["invitation_url"]
    assert ApiKey.find(first["api_key"]) is None
    assert ApiKey.find(second["api_key"])


def test_lost_file_gives_new_passwords(load, tmp_path):
    first = load()
    (tmp_path / "var" / "demo.json").write_text("{ broken")
    second = load()
    assert second["password"] != first["password"]
    assert authenticate(username="admin", password=second["password"])
    assert authenticate(username="reviewer", password=second["reviewer_password"])


def test_german_interview_greets_in_german(load, client):
    load()
    german = Interview.objects.get(language="de")
    invitation = factories.InvitationFactory(interview=german, candidate_name="Ada")
    page = client.get(f"/i/{invitation.token}/").content.decode()
    assert "Guten Tag Ada" in page
    assert "Ihre Antworten werden aufgenommen" in page
    assert practice_text(german).startswith("Dies ist zur Übung")
