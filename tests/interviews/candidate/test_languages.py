"""Each page and e-mail of a candidate is in the language of the interview, whatever the browser asks for."""

import re
from datetime import UTC, datetime, timedelta
from html import unescape

import pytest
from django.core import mail
from django.template.loader import render_to_string
from django.test import Client
from django.urls import reverse
from django.utils import timezone, translation

from interviews import jobs
from interviews.actions import accommodations, mails, new_links, open_links
from interviews.actions.interviews import practice_text
from interviews.models import Application, Invitation, Message, OpenLink
from interviews.open_links import limits
from interviews.texts import consent
from tests import factories
from voice.capacity.allowances import Policy

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("clean_redis")]

LANGUAGES = {"de": "Guten Tag", "es": "Hola", "fr": "Bonjour"}
ENGLISH = frozenset(
    (
        "the",
        "your",
        "you",
        "and",
        "of",
        "with",
        "this",
        "we",
        "are",
        "not",
        "have",
        "is",
        "it",
        "to",
        "nobody",
    )
)
"""Words that no German, Spanish or French sentence has, and hardly an English one lacks."""
STATES = {
    "welcome": ("landing", {}),
    "in line": ("room", {"status": "started"}),
    "back": ("landing", {"status": "started"}),
    "data": ("data", {"status": "started"}),
    "finished": ("landing", {"status": "finished"}),
    "closed": ("landing", {"status": "finished", "days_ago": 30}),
    "closed without an address": ("landing", {"status": "finished", "days_ago": 30, "candidate_email": ""}),
    "expired": ("landing", {"status": "expired"}),
    "revoked": ("landing", {"status": "revoked"}),
    "revoked data": ("data", {"status": "revoked"}),
    "revoked reminders": ("reminders", {"status": "revoked"}),
    "reminders": ("reminders", {}),
}
APPLICATION = {"candidate_name": "Ada", "candidate_email": "ada@klinik.example"}
ARRANGED = {"de": "Für Sie vereinbart", "es": "Acordado para usted", "fr": "Prévu pour vous"}
POSTS = {
    "consent is missing": ("landing", {"shown": ""}),
    "no more reminders": ("reminders", {}),
    "delete?": ("data", {}),
    "deleted": ("data", {"confirmed": "yes"}),
}


@pytest.fixture(autouse=True)
def mail_server(settings):
    settings.EMAIL_URL = "smtp://mail.example.com"
    settings.BASE_URL = "https://interviews.example.org"


def invite(language: str, status: str = "pending", days_ago: int = 0, **fields) -> Invitation:
    """Invite to an interview whose own words are in its language, and take it as far as `status`."""
    interview = factories.InterviewFactory(
        questions=2,
        language=language,
        title="Pflege 7",
        job_title="Pflege",
        consent_text=consent.default_text(language),
        introduction="Klinik",
        contact_name="Ada",
        contact_email="ada@klinik.example",
        retention_days=30,
        organisation__name=f"Klinik {language}",
    )
    invitation = factories.InvitationFactory(
        interview=interview, candidate_name="Ada Lovelace", status=status, **fields
    )
    if status in ("started", "finished"):
        finished_at = timezone.now() - timedelta(days=days_ago) if status == "finished" else None
        state = "finished" if finished_at else "checking"
        factories.SessionFactory(invitation=invitation, status=state, finished_at=finished_at)
    return invitation


def read(page: str) -> set[str]:
    """Return the words that a person reads, in lower case."""
    page = re.sub(r"<(script|style)\b.*?</\1>", " ", page, flags=re.DOTALL)
    return set(re.findall(r"[^\W\d_]+", unescape(re.sub(r"<[^>]*>", " ", page)).lower()))


def get(client, invitation: Invitation, name: str, *, post=None, browser: str = "en") -> str:
    address = reverse(f"interviews:{name}", args=[invitation.token])
    headers = {"accept-language": browser}
    answer = (
        client.get(address, headers=headers) if post is None else client.post(address, post, headers=headers)
    )
    return answer.content.decode()


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("state", STATES)
def test_page_is_in_the_language_of_the_interview(client, language, state):
    name, fields = STATES[state]
    page = get(client, invite(language, **fields), name)
    assert f'<html lang="{language}" dir="ltr">' in page
    assert read(page) & ENGLISH == set()


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("state", POSTS)
def test_page_after_a_click_is_in_the_language_of_the_interview(client, language, state):
    name, form = POSTS[state]
    page = get(client, invite(language), name, post=form)
    assert f'<html lang="{language}"' in page
    assert read(page) & ENGLISH == set()


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("name", ["landing", "data"])
@pytest.mark.parametrize(
    "arranged",
    [
        {"extra_percent": 50, "is_written": True, "is_patient": True, "has_large_text": True},
        {"is_untimed": True},
    ],
    ids=["more time", "untimed"],
)
def test_page_that_says_what_was_arranged_is_in_the_language_of_the_interview(
    client, language, name, arranged
):
    invitation = invite(language)
    accommodations.give(invitation=invitation, **arranged, reason="Klinik", by="test", now=timezone.now())
    page = get(client, invitation, name)
    assert ARRANGED[language] in page
    assert read(page) & ENGLISH == set()


def open_link(language: str) -> OpenLink:
    now = timezone.now()
    interview = invite(language).interview
    return open_links.create(
        interview=interview, places=3, ends_at=now + timedelta(days=7), days=10, by="test", now=now
    )


def confirmation(link: OpenLink) -> str:
    """Apply, send the mail and return the path in it."""
    open_links.apply(link=link, **APPLICATION, now=timezone.now())
    jobs.send_confirmation(str(Application.objects.get().pk))
    return re.findall(r"https://[^/]+(/open/confirm/\S+/)", mail.outbox[-1].body)[0]


def close(link: OpenLink) -> None:
    open_links.switch(link=link, is_open=False, by="test")


def ask_closed(client, link, page):
    close(link)
    return client.get(page)


def confirm_closed(client, link, page):
    address = confirmation(link)
    close(link)
    return client.post(address)


OPEN_PAGES = {
    "form": (lambda client, link, page: client.get(page), 200),
    "nothing filled in": (lambda client, link, page: client.post(page), 422),
    "no name": (lambda client, link, page: client.post(page, {"candidate_name": "www.ada"}), 422),
    "mail is sent": (lambda client, link, page: client.post(page, APPLICATION), 200),
    "closed": (ask_closed, 410),
    "confirmation": (lambda client, link, page: client.get(confirmation(link)), 200),
    "confirmation, but closed": (confirm_closed, 410),
}


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("state", OPEN_PAGES)
def test_page_of_an_open_link_is_in_the_language_of_the_interview(client, language, state):
    ask, status = OPEN_PAGES[state]
    link = open_link(language)
    answer = ask(client, link, reverse("interviews:open_link", args=[link.token]))
    page = answer.content.decode()
    assert answer.status_code == status
    assert f'<html lang="{language}" dir="ltr">' in page
    assert read(page) & ENGLISH == set()


@pytest.mark.parametrize("language", LANGUAGES)
def test_page_of_an_open_link_that_many_ask_is_in_the_language_of_the_interview(
    client, language, monkeypatch
):
    monkeypatch.setattr(limits, "OF_NETWORK", Policy("open-link-network", limit=0, window_s=3600))
    answer = client.post(reverse("interviews:open_link", args=[open_link(language).token]), APPLICATION)
    assert answer.status_code == 429
    assert read(answer.content.decode()) & ENGLISH == set()


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("path", ["/open/none/", "/open/confirm/none/"])
def test_open_link_that_leads_to_no_interview_follows_the_browser(client, language, path):
    page = client.get(path, headers={"accept-language": language}).content.decode()
    assert f'<html lang="{language}"' in page
    assert read(page) & ENGLISH == set()


@pytest.mark.parametrize("language", LANGUAGES)
def test_mail_that_confirms_an_address_is_in_the_language_of_the_interview(language):
    confirmation(open_link(language))
    assert mail.outbox[0].body.startswith(LANGUAGES[language])
    body = re.sub(r"https://\S+", "", mail.outbox[0].body)
    assert read(f"{mail.outbox[0].subject} {body}") & ENGLISH == set()


def test_english_sentence_is_found(client):
    assert read(get(client, invite("en"), "landing")) & ENGLISH > {"the", "your", "you", "is"}


@pytest.mark.parametrize(("language", "hello"), LANGUAGES.items())
def test_candidate_is_greeted(client, language, hello):
    assert f"{hello}" in get(client, invite(language), "landing")


@pytest.mark.parametrize(
    ("language", "date"), [("de", "3. Mai 2026"), ("es", "3 de mayo de 2026"), ("fr", "3 mai 2026")]
)
def test_dates_are_those_of_the_place(client, language, date):
    invitation = invite(language)
    Invitation.objects.update(created_at=datetime(2026, 5, 3, 12, tzinfo=UTC))
    assert date in unescape(get(client, invitation, "data")).replace("\xa0", " ")


@pytest.mark.parametrize("browser", ["de", "fr"])
def test_language_without_pages_gets_english_ones_around_its_own_words(client, browser):
    page = get(client, invite("it"), "landing", browser=browser)
    assert '<html lang="en" dir="ltr">' in page
    assert '<p class="eyebrow" lang="it">Pflege 7</p>' in page
    assert "Good to have you here." in page


def test_screens_in_one_language_are_not_shown_in_another(client):
    """The screens of the room are kept by language."""
    german, french = (get(client, invite(code, status="started"), "room") for code in ("de", "fr"))
    assert "Aufnahme läuft" in german
    assert "Aufnahme läuft" not in french


@pytest.mark.parametrize(
    ("browser", "heading"), [("de-AT", "Wir kennen diesen Link nicht"), ("pt", "We do not know")]
)
def test_unknown_link_follows_the_browser(client, browser, heading):
    page = client.get("/i/none/", headers={"accept-language": browser}).content.decode()
    assert heading in page


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("kind", Message.Kind.values)
def test_mail_is_in_the_language_of_the_interview(language, kind):
    invitation = invite(language)
    mails.ask(invitations=[invitation], kind=kind, by="test", now=timezone.now())
    made = mails.mail_of(Message.objects.get(), now=timezone.now())
    assert f'<html lang="{language}">' in made.html
    # The random letters of the link may be a word.
    words = re.sub(r"https://[^\s\"<]+", "", f"{made.subject} {made.text} {made.html}")
    assert read(words) & ENGLISH == set()


@pytest.mark.parametrize(("language", "hello"), LANGUAGES.items())
def test_mail_with_a_new_link_is_in_the_language_of_the_interview(language, hello):
    invitation = invite(language, status="finished", days_ago=30)
    new_links.request_link(invitation=invitation, by=invitation, now=timezone.now())
    jobs.send_link(str(invitation.pk))
    body = re.sub(r"https://\S+", "", mail.outbox[0].body)
    assert body.startswith(hello)
    assert read(f"{mail.outbox[0].subject} {body}") & ENGLISH == set()


def test_mail_in_a_language_without_texts_has_no_date_of_another():
    mails.ask(invitations=[invite("it")], kind=Message.Kind.INVITATION, by="test", now=timezone.now())
    made = mails.mail_of(Message.objects.get(), now=timezone.now())
    assert '<html lang="en">' in made.html
    assert re.search(r"finish by [A-Z][a-z]+\.? \d+, \d{4}", made.text)


@pytest.mark.parametrize("language", LANGUAGES)
def test_practice_question_and_consent_are_in_the_language(language):
    interview = invite(language).interview
    spoken = read(f"{practice_text(interview)} {consent.default_text(language)}")
    assert spoken & ENGLISH == set()


@pytest.mark.parametrize(
    ("browser", "heading"), [("de", "Das konnte nicht gesendet werden"), ("en", "This could not be sent")]
)
def test_form_without_a_cookie_is_refused_in_words_that_help(browser, heading):
    strict = Client(enforce_csrf_checks=True)
    address = reverse("interviews:landing", args=[invite("de").token])
    answer = strict.post(address, {"consent": "on"}, headers={"accept-language": browser})
    assert answer.status_code == 403
    assert heading in answer.content.decode()


@pytest.mark.parametrize("name", ["404.html", "500.html"])
@pytest.mark.parametrize("language", LANGUAGES)
def test_page_of_an_error_is_translated(name, language):
    with translation.override(language):
        page = render_to_string(name)
    assert f'<html lang="{language}"' in page
    assert read(page) & ENGLISH == set()
