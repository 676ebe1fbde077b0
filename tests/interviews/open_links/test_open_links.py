"""Open links: who comes in, how often, and what a stranger learns."""

import re
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from django.core import mail as outbox
from django.db import connection, connections
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from accounts.models import Membership
from interviews import jobs, tokens
from interviews.actions import invitations, open_links
from interviews.actions.errors import ActionRefused, BadValue, WrongState
from interviews.models import Application, Invitation, Message, OpenLink
from interviews.open_links import limits
from tests import factories
from voice.capacity.allowances import Policy

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("clean_redis")]
ADA = {"candidate_name": "Ada", "candidate_email": "ada@example.com"}


@pytest.fixture(autouse=True)
def server(settings):
    settings.EMAIL_URL = "smtp://localhost"


@pytest.fixture
def link():
    return make_link()


def now():
    return timezone.now()


def make_link(interview=None, places=3, ends_at=None):
    return open_links.create(
        interview=interview or factories.InterviewFactory(questions=1),
        places=places,
        ends_at=ends_at or now() + timedelta(days=7),
        days=10,
        by="test",
        now=now(),
    )


def page(link):
    return reverse("interviews:open_link", args=[link.token])


def apply(client, link, **fields):
    return client.post(page(link), ADA | fields)


def sent_mail() -> str:
    """Send what waits; return the address in the mail."""
    application = Application.objects.latest("created_at")
    jobs.send_confirmation(str(application.pk))
    [address] = re.findall(r"https?://\S+(/open/confirm/\S+/)", outbox.outbox[-1].body)
    return address


def confirmation(link, **fields) -> str:
    """A token that confirms an application."""
    application = open_links.apply(link=link, **(ADA | fields), now=now())
    return tokens.confirmation(application.pk, until=now() + open_links.CONFIRM_WITHIN)


def test_person_gets_an_invitation_of_the_own_after_confirming(client, link):
    assert "mailbox" in apply(client, link).content.decode()
    assert not Invitation.objects.exists()
    address = sent_mail()
    assert outbox.outbox[-1].to == ["ada@example.com"]
    assert b"ada@example.com" in client.get(address).content
    assert not Invitation.objects.exists(), "a mail program that looks at the link confirms nothing"

    landing = client.post(address)

    invitation = Invitation.objects.get()
    assert landing["Location"] == reverse("interviews:landing", args=[invitation.token])
    assert (invitation.candidate_name, invitation.open_link) == ("Ada", link)
    assert timedelta(days=9) < invitation.expires_at - now() <= timedelta(days=10)
    assert Message.objects.get().invitation == invitation
    assert not Application.objects.exists()


def test_page_has_the_colour_and_the_contact_of_the_organisation(client):
    interview = factories.InterviewFactory(
        questions=1, organisation__accent_colour="#0b6e4f", organisation__contact_name="Sam Tower"
    )
    shown = client.get(page(make_link(interview))).content.decode()
    assert "--accent: #0b6e4f;" in shown
    assert "Sam Tower" in shown


def test_confirmation_works_once(client, link):
    apply(client, link)
    address = sent_mail()
    client.post(address)
    assert client.get(address).status_code == 410
    assert client.post(address).status_code == 410
    assert Invitation.objects.count() == 1


def test_confirmation_ends_after_a_day(link):
    token = confirmation(link)
    with pytest.raises(WrongState):
        open_links.confirm(token=token, now=now() + timedelta(days=1, seconds=1))
    assert not Invitation.objects.exists()


@pytest.mark.parametrize(
    "change", [lambda t: t[:-1] + ("a" if t[-1] != "a" else "b"), lambda t: t.replace(".", ".9", 1)]
)
def test_confirmation_that_was_changed_confirms_nothing(link, change):
    with pytest.raises(WrongState):
        open_links.confirm(token=change(confirmation(link)), now=now())


def test_signed_link_of_another_kind_confirms_nothing(link):
    application = open_links.apply(link=link, **ADA, now=now())
    token = tokens.temporary(application.pk, until=now() + timedelta(hours=1))
    assert open_links.waiting(token, now=now()) is None
    assert tokens.read_temporary(confirmation(link)) is None


def test_same_person_gets_the_same_invitation_whatever_the_case_and_the_link(link):
    first = open_links.confirm(token=confirmation(link), now=now())
    other = make_link(link.interview)
    again = open_links.confirm(token=confirmation(other, candidate_email="ADA@Example.com"), now=now())
    assert again == first
    other.refresh_from_db()
    assert other.taken == 0


def test_person_whose_invitation_was_revoked_finds_no_way_back_in(client, link):
    first = open_links.confirm(token=confirmation(link), now=now())
    invitations.revoke(invitation=first, by="test", now=now())
    again = open_links.confirm(token=confirmation(link), now=now())
    assert client.get(reverse("interviews:landing", args=[again.token])).status_code == 410
    assert Invitation.objects.count() == 1


def test_known_and_unknown_addresses_are_answered_alike(client, link):
    factories.InvitationFactory(interview=link.interview, candidate_email="ada@example.com")
    known = apply(client, link).content.decode()
    unknown = apply(client, link, candidate_email="bob@example.com").content.decode()
    assert known.replace("ada@", "bob@") == unknown
    assert Application.objects.count() == 2, "both get a mail"


def test_mailbox_cannot_be_filled_and_the_page_does_not_tell(client, link):
    pages = [
        apply(client, link, candidate_email=f"{name}@example.com").content for name in ("ada", "ADA", "Ada")
    ]
    assert Application.objects.count() == limits.OF_ADDRESS.limit
    pages.append(apply(client, link).content)
    assert Application.objects.count() == limits.OF_ADDRESS.limit
    assert len({each.lower() for each in pages}) == 1


def test_network_that_asks_too_often_waits(client, link, monkeypatch):
    monkeypatch.setattr(limits, "OF_NETWORK", Policy("open-link-network", limit=2, window_s=3600))
    answers = [apply(client, link, candidate_email=f"p{n}@example.com") for n in range(4)]
    assert [answer.status_code for answer in answers] == [200, 200, 429, 429]
    assert int(answers[-1]["Retry-After"]) > 0
    assert Application.objects.count() == 2


def test_keys_of_redis_name_no_address(client, link, clean_redis):
    apply(client, link)
    assert not any(b"ada" in key for key in clean_redis.keys("*open-link*"))


@pytest.mark.parametrize(
    "fields",
    [
        {"candidate_email": "no address"},
        {"candidate_name": ""},
        {"candidate_name": "win at https://casino.example"},
        {"candidate_name": "win at casino.example"},
        {"candidate_name": "casino\uff0eexample"},
        {"candidate_name": "casino.\u200cexample"},
        {"candidate_name": "write to win@example"},
        {"candidate_name": "t\uff0fme"},
        {"candidate_name": "Call 0900"},
        {"candidate_name": "Call \u0660\u0669"},
        {"candidate_name": "Ada\u202ecod"},
        {"candidate_name": "Ada\u00adB"},
        {"candidate_name": "a\u2028b"},
        {"candidate_email": "ada@example.com\nBcc: all@example.com"},
    ],
)
def test_wrong_form_is_shown_again(client, link, fields):
    assert apply(client, link, **fields).status_code == 422
    assert not Application.objects.exists()


@pytest.mark.parametrize(
    "name",
    [
        *(
            "Ada",
            "J. R. R. Tolkien",
            "J.R.R. Tolkien",
            "Martin Luther King, Jr.",
            "Siobhán O’Brien",
            "D'Arcy",
        ),
        *(
            "Jean-Luc Müller-Lüdenscheidt",
            "Nguyễn Thị Minh Khai",
            "Þórr Ægisson",
            "İbrahim Çağlar",
            "Núria Gal·la",
        ),
        *("Мария Петровна Ёлкина", "Γιώργος Παπαδόπουλος", "שרה כהן", "محمد بن سلمان", "علی\u200cرضا"),
        *("ශ්\u200dරී", "अनुष्का शर्मा", "王小明", "山田 太郎", "김민준", "สมชาย ใจดี", "አበበ ቢቂላ", "Ոսկան"),
    ],
)
def test_names_of_people_are_taken(client, link, name):
    assert apply(client, link, candidate_name=name).status_code == 200
    assert Application.objects.get().candidate_name == name


def test_pages_look_as_all_pages_of_the_organisation(client, link):
    organisation = link.interview.organisation
    organisation.accent_colour, organisation.contact_name = "#0b6e4f", "Grace Hopper"
    organisation.save()
    shown = client.get(page(link)).content.decode()
    assert "--accent: #0b6e4f" in shown
    assert "Grace Hopper" in shown


def test_confirmation_does_not_hold_up_what_refers_to_the_interview(link):
    token = confirmation(link)
    with CaptureQueriesContext(connection) as run:
        open_links.confirm(token=token, now=now())
    said = [each["sql"] for each in run if each["sql"]]  # Django keeps no text of prepared statements
    [lock] = [each for each in said if 'FROM "interviews_interview"' in each and "FOR " in each]
    assert "FOR NO KEY UPDATE" in lock


def test_link_is_not_made_for_an_interview_that_is_over(link):
    factories.change(link.interview, deadline=now() - timedelta(seconds=1))
    with pytest.raises(BadValue, match="deadline"):
        make_link(link.interview)


CLOSED = {
    "off": lambda link: open_links.switch(link=link, is_open=False, by="test"),
    "ended": lambda link: OpenLink.objects.update(ends_at=now() - timedelta(seconds=1)),
    "full": lambda link: OpenLink.objects.update(taken=3),
    "over": lambda link: factories.change(link.interview, deadline=now() - timedelta(seconds=1)),
    "archived": lambda link: type(link.interview).objects.update(status="archived"),
}


@pytest.mark.parametrize("close", CLOSED.values(), ids=CLOSED)
def test_link_that_is_closed_takes_no_one_not_even_with_a_confirmation(client, link, close):
    token = confirmation(link)
    close(link)
    assert client.get(page(link)).status_code == 410
    assert apply(client, link).status_code == 410
    with pytest.raises(ActionRefused):
        open_links.confirm(token=token, now=now())
    assert not Invitation.objects.exists()


def test_without_a_mail_server_it_cannot_be_used(client, link, settings):
    settings.EMAIL_URL = ""
    assert client.get(page(link)).status_code == 410
    with pytest.raises(BadValue, match="mail server"):
        make_link(link.interview)


def test_unknown_link_is_not_found(client):
    assert client.get(reverse("interviews:open_link", args=["nothing"])).status_code == 404
    assert client.get("/open/a%00b/").status_code == 400


def test_no_more_come_in_than_there_are_places_when_all_come_at_once():
    link = make_link(places=3)
    at_once = 8
    confirmations = [confirmation(link, candidate_email=f"p{n}@example.com") for n in range(at_once)]
    together = threading.Barrier(at_once)

    def come(token):
        together.wait(60)
        try:
            return open_links.confirm(token=token, now=now())
        except open_links.LinkClosed:
            return None
        finally:
            connections.close_all()

    with ThreadPoolExecutor(at_once) as pool:
        came = [each for each in pool.map(come, confirmations) if each]
    link.refresh_from_db()
    assert (len(came), Invitation.objects.count(), link.taken) == (3, 3, 3)
    assert Application.objects.count() == at_once - 3


def test_one_person_who_comes_twice_at_once_gets_one_invitation():
    link = make_link()
    confirmations = [
        confirmation(link, candidate_email=each) for each in ("ada@example.com", "ADA@example.com")
    ]
    together = threading.Barrier(2)

    def come(token):
        together.wait(60)
        try:
            return open_links.confirm(token=token, now=now())
        finally:
            connections.close_all()

    with ThreadPoolExecutor(2) as pool:
        first, second = pool.map(come, confirmations)
    assert first == second
    assert Invitation.objects.count() == 1


def test_erased_candidate_makes_no_place_free():
    from interviews.actions import erasure

    link = make_link(places=1)
    invitation = open_links.confirm(token=confirmation(link), now=now())
    erasure.erase_candidate(invitation=invitation, by="test", now=now())
    with pytest.raises(open_links.LinkClosed):
        open_links.confirm(token=confirmation_of_a_full(link), now=now())


def confirmation_of_a_full(link):
    application = Application.objects.create(
        open_link=link, candidate_name="B", candidate_email="b@example.com"
    )
    return tokens.confirmation(application.pk, until=now() + timedelta(hours=1))


def test_what_was_not_confirmed_is_forgotten_after_a_day(link):
    open_links.apply(link=link, **ADA, now=now())
    open_links.sweep(now=now())
    assert Application.objects.exists()
    open_links.sweep(now=now() + timedelta(days=1))
    assert not Application.objects.exists()


def test_mail_that_the_server_did_not_take_is_tried_again_and_sent_once(link, queued, monkeypatch, caplog):
    application = open_links.apply(link=link, **ADA, now=now() - timedelta(minutes=2))
    with monkeypatch.context() as away:
        away.setattr(open_links, "send_mail", refuse)
        jobs.send_confirmation(str(application.pk))
    assert "ada@" not in caplog.text
    open_links.sweep(now=now())
    assert any(str(application.pk) in job_id for job_id in queued("default"))
    jobs.send_confirmation(str(application.pk))
    jobs.send_confirmation(str(application.pk))
    assert len(outbox.outbox) == 1


def refuse(*_, **__):
    raise OSError("550 ada@example.com is unknown")


def test_link_works_on_after_its_key_was_rotated(link, settings):
    token = link.token
    settings.TOKEN_KEYS = ["another-key-that-is-long-enough-for-this", *settings.TOKEN_KEYS]
    assert open_links.rotate_keys() == {"written": 1}
    settings.TOKEN_KEYS = settings.TOKEN_KEYS[:1]
    assert open_links.find(token) == link
    assert OpenLink.objects.get().token == token


def test_no_log_names_a_person_or_a_link(client, link, caplog):
    with caplog.at_level("DEBUG"):
        apply(client, link)
        client.post(sent_mail())
    assert Invitation.objects.exists()
    for secret in ("ada@", "Ada", link.token, Invitation.objects.get().token):
        assert secret not in caplog.text


class TestRecruiter:
    ADD = "admin:interviews_openlink_add"

    def form(self, interview):
        ends = now() + timedelta(days=5)
        return {
            "interview": str(interview.pk),
            "places": "20",
            "days": "7",
            "ends_at_0": ends.date().isoformat(),
            "ends_at_1": "12:00:00",
        }

    def test_recruiter_makes_a_link_and_switches_it_off_and_on(self, client, member, ours):
        recruiter = member(Membership.Role.RECRUITER)
        interview = factories.InterviewFactory(organisation=ours, questions=1)
        response = client.post(reverse(self.ADD), self.form(interview), follow=True)
        link = OpenLink.objects.get()
        assert (link.places, link.created_by) == (20, recruiter)
        change = reverse("admin:interviews_openlink_change", args=[link.pk])
        assert link.url in client.get(change).content.decode(), response.content.decode()[:500]
        for name, is_open in (("switch_off", False), ("switch_on", True)):
            client.post(
                reverse(f"admin:interviews_openlink_{name}", args=[link.pk]), {"_form_submitted": "on"}
            )
            link.refresh_from_db()
            assert link.is_open is is_open

    def test_link_to_what_is_not_published_is_refused_at_its_field(self, client, member, ours):
        member(Membership.Role.RECRUITER)
        draft = factories.InterviewFactory(organisation=ours, questions=1, published=False)
        response = client.post(reverse(self.ADD), self.form(draft))
        assert "Publish it first" in response.content.decode()
        assert not OpenLink.objects.exists()

    def test_interview_of_another_organisation_is_no_choice(self, client, member):
        member(Membership.Role.OWNER)
        client.post(reverse(self.ADD), self.form(factories.InterviewFactory(questions=1)))
        assert not OpenLink.objects.exists()
