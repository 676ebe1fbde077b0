"""The fragment beside a candidate's answers, and the pages around it, as people use them."""

import pytest
from django.urls import reverse
from django.utils import timezone

from accounts.models import Membership
from interviews.actions import notes
from interviews.models import Assignment, Decision, Message, Note, Scorecard, Submission
from tests import factories
from voice.models import Transcript

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("clean_redis")]

Role = Membership.Role
FRAGMENT = {"HX-Request": "true"}


def address(name, session, *more):
    return reverse(f"admin:interviews_session_{name}", args=[session.pk, *more])


def levels(session, *chosen, note=""):
    criteria = session.definition.criteria
    sent = {f"level-{each.id}": level for each, level in zip(criteria, chosen, strict=True)}
    return sent | {f"note-{each.id}": note for each in criteria}


def test_reviewer_scores_on_the_candidates_page(client, member, session):
    person = member(Role.REVIEWER)
    page = client.get(address("change", session)).content.decode()
    assert "gives a reason" in page
    assert "you have submitted yours" in page

    response = client.post(address("scorecard", session), levels(session, 3, 2, note="<b>x</b>"))

    assert response.url == address("change", session) + "#evaluation"
    assert Submission.objects.get().scorecard.reviewer == person
    page = client.get(address("change", session)).content.decode()
    assert "&lt;b&gt;x&lt;/b&gt;" in page
    assert "<b>x" not in page
    assert "Submit again" in page


def test_page_that_asks_for_the_fragment_gets_nothing_else(client, member, session):
    member(Role.REVIEWER)
    page = client.get(address("scorecard", session), headers=FRAGMENT).content.decode()
    assert page.strip().startswith('<section id="evaluation"')
    assert "<html" not in page


def test_missing_level_is_named_and_the_rest_is_kept(client, member, session):
    member(Role.REVIEWER)
    response = client.post(
        address("scorecard", session), levels(session, 3, "", note="kept"), headers=FRAGMENT
    )
    page = response.content.decode()
    assert "Choose a level for: Craft." in page
    assert 'value="3" checked' in page
    assert not Submission.objects.exists()


def test_draft_is_kept_while_one_writes(client, member, session):
    member(Role.REVIEWER)
    response = client.post(address("scorecard_draft", session), levels(session, 1, ""))
    assert response.content.decode().startswith("Draft kept at")
    assert Scorecard.objects.get().draft != {}


@pytest.mark.parametrize(
    "level", ["9" * 5000, "-1", "x", "²", "1.5"], ids=["long", "minus", "x", "two", "half"]
)
def test_odd_levels_are_no_failure(client, member, session, level):
    member(Role.REVIEWER)
    response = client.post(address("scorecard", session), levels(session, level, level))
    assert response.status_code == 422
    assert not Submission.objects.exists()


@pytest.mark.parametrize("role", [Role.RECRUITER, Role.OWNER])
def test_writers_decide_and_tell(client, member, session, settings, role):
    settings.EMAIL_URL = "smtp://localhost"
    person = member(role)
    client.post(address("decision", session), {"outcome": "reject", "reason": "Too quiet", "after": ""})
    assert Decision.objects.get().decided_by == person
    assert not Message.objects.exists()

    assert "Tell the candidate by e-mail" in client.get(address("change", session)).content.decode()
    client.post(address("decision_mail", session))

    assert Message.objects.get().kind == "rejection"
    page = client.get(address("change", session)).content.decode()
    assert "is on its way" in page
    assert "Tell the candidate by e-mail" not in page


def test_refused_decision_keeps_what_was_typed(client, member, session):
    member(Role.OWNER)
    sent = {"outcome": "", "reason": "Too quiet", "after": "9" * 5000}
    page = client.post(address("decision", session), sent, headers=FRAGMENT).content.decode()
    assert "Too quiet" in page
    assert 'role="alert"' in page


@pytest.mark.parametrize("name", ["decision", "decision_mail", "scorecard_others"])
def test_reviewer_neither_decides_nor_looks_first(client, member, session, name):
    member(Role.REVIEWER)
    sent = {"outcome": "reject", "reason": "Too quiet"}
    assert client.post(address(name, session), sent).status_code == 403
    assert not Decision.objects.exists()
    assert not Scorecard.objects.exists()


def test_owner_looks_without_scoring_and_that_is_kept(client, member, session, ben, submit):
    submit(session, ben, 4, 4, note="Splendid")
    owner = member(Role.OWNER)
    assert "Splendid" not in client.get(address("change", session)).content.decode()
    client.post(address("scorecard_others", session))
    assert "Splendid" in client.get(address("change", session)).content.decode()
    assert Scorecard.objects.get(reviewer=owner).others_seen_at


def test_note_is_written_and_mentions(client, member, session, ben):
    member(Role.RECRUITER)
    client.post(address("notes", session), {"text": "@ben <i>look</i>", "is_shared": "on"})
    assert Note.objects.get().is_shared
    assert "&lt;i&gt;look" in client.get(address("change", session)).content.decode()

    client.force_login(ben)
    page = client.get(reverse("admin:interviews_session_queue")).content.decode()
    assert "Notes that mention you" in page
    mention = Note.objects.get().mentions.get()
    client.post(reverse("admin:interviews_session_mention_seen", args=[mention.pk]))
    mention.refresh_from_db()
    assert mention.seen_at


def test_mention_of_another_is_not_taken(client, member, session, ben):
    note = notes.write(session=session, text="@ben", is_shared=True, by=ben, now=timezone.now())
    mention = note.mentions.create(person=ben)
    member(Role.OWNER)
    assert client.post(reverse("admin:interviews_session_mention_seen", args=[mention.pk])).status_code == 404


def test_queue_leads_from_candidate_to_candidate(client, member, make_session, assigned):
    person = member(Role.REVIEWER)
    first, second, third = (make_session() for _ in range(3))
    for session in (first, second, third):
        assigned(session, person)
    page = client.get(reverse("admin:interviews_session_queue")).content.decode()
    assert "3 candidates to score" in page
    page = client.get(address("change", second)).content.decode()
    assert f'href="{address("change", first)}" rel="prev"' in page
    assert f'href="{address("change", third)}" rel="next"' in page


def test_recruiter_takes_an_assignment_away(client, member, session, anna, assigned):
    assigned(session, anna)
    member(Role.RECRUITER)
    assignment = Assignment.objects.get()
    client.post(address("assignments_end", session, assignment.pk), headers=FRAGMENT)
    assert not Assignment.objects.exists()


@pytest.mark.parametrize("name", ["scorecard", "scorecard_draft", "decision", "notes"])
def test_foreign_session_is_unknown(client, member, theirs, name):
    interview = factories.InterviewFactory(organisation=theirs, questions=1)
    foreign = factories.SessionFactory(invitation__interview=interview, finished=True)
    member(Role.OWNER)
    assert client.post(address(name, foreign), {"text": "x"}).status_code == 404
    assert not Note.objects.exists()


def test_session_of_before_is_shown_without_a_rubric(client, member, ours):
    interview = factories.InterviewFactory(organisation=ours, questions=1)
    session = factories.SessionFactory(
        invitation__interview=interview, finished=True, definition=None, consent_text="Yes"
    )
    member(Role.OWNER)
    page = client.get(address("change", session)).content.decode()
    assert "without a rubric" in page
    assert "Not decided yet." in page


def test_list_asks_no_more_of_the_database_for_more_candidates(
    client, member, make_session, django_assert_max_num_queries
):
    member(Role.REVIEWER)
    url = reverse("admin:interviews_session_changelist")
    make_session()
    client.get(url)
    with django_assert_max_num_queries(100) as few:
        client.get(url)
    for _ in range(5):
        make_session()
    with django_assert_max_num_queries(len(few)):
        client.get(url)


class TestComparing:
    def compare(self, client, *sessions):
        ids = [str(session.pk) for session in sessions]
        return client.get(reverse("admin:interviews_session_compare"), {"session": ids})

    @pytest.fixture
    def answered(self, interview, make_session):
        sessions = [make_session(), make_session()]
        for place, question in enumerate(interview.questions.all(), start=1):
            for session in sessions:
                factories.AnswerFactory(
                    session=session,
                    question=question,
                    question_text=question.text,
                    position=place,
                    accepted=True,
                )
        return sessions

    def test_answers_stand_side_by_side(self, client, member, answered):
        member(Role.REVIEWER)
        response = self.compare(client, *reversed(answered))
        rows = response.context["rows"]
        assert [len(row.cells) for row in rows] == [2, 2]
        assert [cell.session for cell in rows[0].cells] == answered[::-1]
        page = response.content.decode()
        assert page.count("<audio") == 4
        assert "Listen in turn" in page

    def test_question_that_one_was_not_asked(self, client, member, answered):
        member(Role.REVIEWER)
        answered[0].answers.last().delete()
        assert "Was not asked this." in self.compare(client, *answered).content.decode()

    def test_words_are_shown_as_text(self, client, member, answered):
        member(Role.REVIEWER)
        answered[0].answers.update(typed_text="<script>alert(1)</script>")
        assert "<script>alert" not in self.compare(client, *answered).content.decode()

    def test_words_are_shown_as_corrected(self, client, member, answered):
        member(Role.REVIEWER)
        answer = answered[0].answers.first()
        factories.CorrectionFactory(answer=answer, first_word=3, text="tiny")
        page = self.compare(client, *answered).content.decode()
        assert page.count("I built a tiny service") == 1
        assert page.count("I built a small service") == 3
        assert "Unreliable transcript" not in page

    def test_unreliable_transcript_says_so(self, client, member, answered):
        member(Role.REVIEWER)
        Transcript.objects.filter(recording__answer=answered[0].answers.first()).update(confidence=0.4)
        assert self.compare(client, *answered).content.decode().count("Unreliable transcript: listen.") == 1

    def test_number_of_queries_does_not_grow_with_corrections(
        self, client, member, answered, django_assert_max_num_queries
    ):
        member(Role.REVIEWER)
        self.compare(client, *answered)
        with django_assert_max_num_queries(100) as before:
            self.compare(client, *answered)
        for session in answered:
            for answer in session.answers.all():
                factories.CorrectionFactory(answer=answer)
        with django_assert_max_num_queries(len(before)):
            self.compare(client, *answered)

    def test_choice_is_of_two_to_five_of_one_interview(self, client, member, ours, make_session):
        member(Role.REVIEWER)
        sessions = [make_session() for _ in range(6)]
        other = factories.InterviewFactory(organisation=ours, questions=1)
        elsewhere = factories.SessionFactory(invitation__interview=other, finished=True)
        assert self.compare(client, sessions[0]).status_code == 302
        assert self.compare(client, *sessions).status_code == 302
        assert self.compare(client, sessions[0], elsewhere).status_code == 302
        assert self.compare(client, *sessions[:5]).status_code == 200
        assert client.get(reverse("admin:interviews_session_compare"), {"session": ["x"]}).status_code == 302

    def test_foreign_candidate_is_left_out(self, client, member, theirs, make_session):
        member(Role.OWNER)
        interview = factories.InterviewFactory(organisation=theirs, questions=1)
        foreign = factories.SessionFactory(
            invitation__interview=interview, finished=True, invitation__candidate_name="Mallory"
        )
        response = self.compare(client, make_session(), make_session(), foreign)
        assert response.status_code == 200
        assert "Mallory" not in response.content.decode()

    def test_list_leads_to_it(self, client, member, answered):
        member(Role.REVIEWER)
        chosen = {"action": "compare_selected", "_selected_action": [str(each.pk) for each in answered]}
        response = client.post(reverse("admin:interviews_session_changelist"), chosen, follow=True)
        assert "Listen in turn" in response.content.decode()


class TestAgreementPage:
    def page(self, client, interview):
        return client.get(reverse("admin:interviews_interview_agreement", args=[interview.pk]))

    def test_few_pairs_tell_no_figure(self, client, member, interview, session, anna, ben, submit):
        submit(session, anna, 1, 1)
        submit(session, ben, 2, 2)
        member(Role.OWNER)
        assert "shown from 10 pairs on" in self.page(client, interview).content.decode()

    def test_owner_sees_figures(self, client, member, interview, make_session, anna, ben, submit):
        for n in range(10):
            session = make_session()
            submit(session, anna, 1 + n % 4, 2)
            submit(session, ben, 1 + n % 4, 2 + n % 2)
        member(Role.OWNER)
        page = self.page(client, interview).content.decode()
        assert "100 %" in page
        assert "1.00" in page
        assert "50 %" in page

    @pytest.mark.parametrize("role", [Role.REVIEWER, Role.RECRUITER])
    def test_others_do_not(self, client, member, interview, role):
        member(role)
        assert self.page(client, interview).status_code == 403


class TestOwnNotes:
    """Changed and deleted on the candidate's page; the rest is in test_notes.py."""

    @pytest.fixture
    def note(self, session, member):
        by = member(Role.REVIEWER)
        return notes.write(session=session, text="Good", is_shared=True, by=by, now=timezone.now())

    def test_author_changes_it(self, client, session, note):
        sent = {"text": "<b>Better</b>", "is_shared": "on"}
        page = client.post(address("notes_edit", session, note.pk), sent, headers=FRAGMENT).content.decode()
        assert "&lt;b&gt;Better" in page
        assert "edited " in page

    def test_what_was_typed_is_shown_again_in_its_form(self, client, session, note):
        sent = {"text": "@nobody", "is_shared": "on"}
        page = client.post(address("notes_edit", session, note.pk), sent, headers=FRAGMENT).content.decode()
        assert "is called @nobody" in page
        assert '<details class="ip-edit" open>' in page
        assert page.count(">@nobody</textarea>") == 1

    def test_author_deletes_it(self, client, session, note):
        client.post(address("notes_delete", session, note.pk))
        assert not Note.objects.exists()

    def test_others_have_no_form_and_no_address_for_it(self, client, session, note, member):
        member(Role.OWNER)
        page = client.get(address("scorecard", session), headers=FRAGMENT).content.decode()
        assert "Good" in page or "when you have submitted" in page
        assert "edit-note" not in page
        for name in ("notes_edit", "notes_delete"):
            assert client.post(address(name, session, note.pk), {"text": "x"}).status_code == 404
        assert Note.objects.get().text == "Good"

    def test_note_of_another_candidate_is_unknown_here(self, client, session, make_session, note):
        other = make_session()
        assert client.post(address("notes_delete", other, note.pk)).status_code == 404
        assert Note.objects.exists()

    def test_author_who_sees_the_candidate_no_more_cannot_change_it(self, client, session, note, ours):
        ours.is_review_by_assignment = True
        ours.save()
        assert client.post(address("notes_edit", session, note.pk), {"text": "x"}).status_code == 404
