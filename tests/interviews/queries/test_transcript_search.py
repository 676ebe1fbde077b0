"""Searching: languages, organisations, limits, and hostile words."""

from datetime import timedelta

import pytest
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from interviews.actions import search_index
from interviews.models import Answer, SearchEntry, Session
from interviews.queries.transcript_search import Limits, newest
from tests.factories import CorrectionFactory
from tests.interviews.searching.conftest import say  # noqa: F401
from tests.staff import ours, theirs  # noqa: F401

pytestmark = pytest.mark.django_db


def search(words, *organisations, **limits):
    own = frozenset(row.pk for row in organisations) if organisations else None
    sessions = Session.objects.all()
    if own is not None:
        sessions = sessions.filter(invitation__interview__organisation__in=own)
    return newest(words, sessions=sessions, organisation_ids=own, limits=Limits(**limits))


def texts(found):
    return ["".join(piece.text for piece in hit.pieces) for hit in found.hits]


def marked(found):
    return [[piece.text for piece in hit.pieces if piece.is_hit] for hit in found.hits]


@pytest.mark.parametrize(
    ("language", "text", "words", "hits"),
    [
        ("en", "We checked the invoices twice", "invoice", ["invoices"]),
        ("de", "Ich habe die Rechnungen geprüft", "rechnung", ["Rechnungen"]),
        ("pl", "Sprawdzałam faktury co tydzień", "FAKTURY", ["faktury"]),
        ("ja", "請求書を確認する小さなサービスを作りました", "請求書", ["請求書"]),
        ("zh", "我做了一个检查发票的服务", "发票", ["发票"]),
        ("zh", "我做了一个检查发票的服务", "票", ["票"]),
        ("th", "ฉันตรวจสอบใบแจ้งหนี้", "ใบแจ้งหนี้", ["ใบแจ้งหนี้"]),
        ("ja", "AWSでサービスを作りました", "aws サービス", ["AWS", "サービス"]),
    ],
)
def test_text_is_found_as_its_language_is_written(say, ours, language, text, words, hits):  # noqa: F811
    say(text, language=language)
    assert marked(search(words, ours)) == [hits]
    assert texts(search(words, ours)) == [text]


@pytest.mark.parametrize(("language", "words"), [("en", "turn"), ("ja", "書請"), ("en", "invoices -twice")])
def test_other_words_are_not_found(say, ours, language, words):  # noqa: F811
    say("We checked the invoices twice" if language == "en" else "請求書を確認", language=language)
    assert search(words, ours).hits == []


def test_candidates_words_are_found_and_marked_and_a_flag_says_listen(say, ours):  # noqa: F811
    answer = say("a service that reads in voices")
    CorrectionFactory(answer=answer, first_word=4, last_word=5, text="invoices", is_by_candidate=True)
    search_index.index(answer_id=answer.pk)
    [hit] = search("invoices", ours).hits
    assert (hit.has_words_of_candidate, hit.is_unreliable) == (True, False)
    Answer.objects.update(flagged_at=timezone.now())
    [hit] = search("invoices", ours).hits
    assert hit.is_unreliable


def test_hit_in_another_version_than_the_candidate_corrected_says_listen(say, ours):  # noqa: F811
    answer = say("a service that reads in voices")
    CorrectionFactory(answer=answer, text="one", version=2, is_by_candidate=True)
    [hit] = search("voices", ours).hits
    assert hit.is_unreliable


def test_phrase_is_found_in_its_order_only(say, ours):  # noqa: F811
    say("small service reads invoices")
    assert search('"small service"', ours).hits
    assert not search('"service small"', ours).hits


def test_another_organisation_is_never_searched(say, ours, theirs):  # noqa: F811
    mine, foreign = say("turnips"), say("turnips", organisation=theirs)
    assert [hit.answer for hit in search("turnips", ours).hits] == [mine]
    assert [hit.answer for hit in search("turnips", theirs).hits] == [foreign]
    assert len(search("turnips", ours, theirs).hits) == 2
    assert len(search("turnips").hits) == 2, "who runs the platform sees all"
    assert newest("turnips", sessions=Session.objects.all(), organisation_ids=frozenset()).hits == []


@pytest.mark.parametrize("words", ["={0}", "turnips or ={0}", "'={0}' | turnips", "-turnips", "!turnips"])
def test_words_cannot_name_another_organisation(say, ours, theirs, words):  # noqa: F811
    foreign = say("turnips", organisation=theirs)
    found = search(words.format(theirs.pk), ours)
    assert foreign not in [hit.answer for hit in found.hits]


def test_answer_that_may_not_be_read_is_not_shown_whatever_the_index_says(say, ours, theirs):  # noqa: F811
    foreign = say("turnips", organisation=theirs)
    SearchEntry.objects.update(organisation=ours, lexemes=SearchEntry.objects.get(pk=foreign.pk).lexemes)
    own = Session.objects.filter(invitation__interview__organisation=ours)
    assert newest("turnips", sessions=own, organisation_ids=None).hits == []


def test_newest_come_first_and_no_more_than_fit(say, ours, monkeypatch):  # noqa: F811
    monkeypatch.setattr("interviews.queries.transcript_search.MOST", 2)
    now = timezone.now()
    rows = [say("turnips", completed_at=now - timedelta(days=day)) for day in (3, 1, 2)]
    found = search("turnips", ours)
    assert [hit.answer for hit in found.hits] == [rows[1], rows[2]]
    assert found.has_more
    assert not search("turnips", ours, since=now - timedelta(days=2, hours=1)).has_more


def test_dates_and_interviews_limit_it(say, ours):  # noqa: F811
    now = timezone.now()
    old, new = (say("turnips", completed_at=now - timedelta(days=day)) for day in (9, 1))
    hits = lambda **limits: [hit.answer for hit in search("turnips", ours, **limits).hits]  # noqa: E731
    assert hits(since=now - timedelta(days=5)) == [new]
    assert hits(until=now - timedelta(days=5)) == [old]
    assert hits(interview_ids=[old.session.invitation.interview_id]) == [old]
    assert hits(interview_ids=[]) == []


def test_hit_leads_to_the_second_of_its_first_word(say, ours):  # noqa: F811
    say("I built a small service that reads invoices")  # a word every 0.4 s
    hit = search("invoices", ours).hits[0]
    assert hit.second == pytest.approx(2.8)
    assert hit.time == "0:02"
    assert hit.address.endswith(f"/{hit.answer.session_id}/change/?answer=1&t=2.8")


def test_number_of_statements_does_not_grow(say, ours, django_assert_num_queries):  # noqa: F811
    say("turnips")
    with django_assert_num_queries(5):
        search("turnips", ours)
    for _ in range(5):
        say("turnips")
    with django_assert_num_queries(5):
        assert len(search("turnips", ours).hits) == 6


HOSTILE = st.text(max_size=60) | st.lists(
    st.sampled_from(
        ["'", "\\", '"', "-", "or", "&", "|", "!", "(", ":*", "<->", "\ue000", "日", "a", "=1", "%s"]
    )
).map(" ".join)


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(words=HOSTILE.filter(lambda text: "\0" not in text and text.isprintable()))
def test_no_words_are_a_failure(say, ours, words):  # noqa: F811
    if not Answer.objects.exists():
        say("turnips are round")
        say("日本のかぶ", language="ja")
    for hit in search(words, ours).hits:
        assert any(piece.is_hit for piece in hit.pieces)
