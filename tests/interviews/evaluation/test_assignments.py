"""Who scores whom, in which order, and that reviewers see no one else where the owner wants it."""

from collections import Counter

import pytest
from django.apps import apps
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st

from accounts import access
from accounts.models import Membership, User
from interviews.actions import attempts, notes
from interviews.actions.assignments import assign, shared_out
from interviews.actions.errors import BadValue
from interviews.models import Answer, Assignment, GroupDeclaration, Invitation, Session
from interviews.queries import assigned as assigned_rows
from interviews.queries import review_queue
from tests import factories
from tests.access import addresses, organisation

Role = Membership.Role


@given(
    sessions=st.integers(0, 40),
    reviewers=st.integers(1, 6),
    each=st.integers(1, 6),
)
def test_sessions_are_shared_out_evenly(sessions, reviewers, each):
    each = min(each, reviewers)
    pairs = shared_out(range(sessions), list(range(reviewers)), each=each, loads={})
    assert len(set(pairs)) == len(pairs) == sessions * each
    loads = Counter(reviewer for _session, reviewer in pairs)
    if sessions:
        assert max(loads.values()) - min(loads[one] for one in range(reviewers)) <= 1


def test_who_has_less_gets_more():
    pairs = shared_out("abc", ["anna", "ben"], each=1, loads={"anna": 2})
    assert [reviewer for _session, reviewer in pairs] == ["ben", "ben", "anna"]


def test_what_is_assigned_counts():
    assert shared_out("a", ["anna", "ben"], each=1, loads={}, assigned={("a", "ben")}) == []
    assert shared_out("a", ["anna", "ben"], each=2, loads={}, assigned={("a", "ben")}) == [("a", "anna")]


@pytest.mark.django_db
class TestAssigning:
    def give(self, sessions, reviewers, each=1):
        return assign(sessions=sessions, reviewers=reviewers, each=each, by=reviewers[0], now=timezone.now())

    def test_again_assigns_nothing_new(self, make_session, anna, ben):
        sessions = [make_session() for _ in range(3)]
        assert self.give(sessions, [anna, ben], each=2) == 6
        assert self.give(sessions, [anna, ben], each=2) == 0

    def test_stranger_is_not_assigned(self, session):
        stranger = factories.MembershipFactory().user
        with pytest.raises(BadValue, match="members"):
            self.give([session], [stranger])
        assert not Assignment.objects.exists()

    def test_queue_is_who_waits_longest_and_ends_with_the_score(self, make_session, anna, submit):
        sessions = [make_session() for _ in range(14)]
        self.give(sessions, [anna])
        waiting = review_queue.of(anna)
        assert (waiting.to_score, waiting.next) == (14, sessions[:12])

        submit(sessions[0], anna, 1, 1)

        assert review_queue.of(anna).next[0] == sessions[1]
        around = review_queue.neighbours(sessions[2], anna)
        assert (around["previous"], around["next"]) == (sessions[1], sessions[3])
        assert review_queue.neighbours(sessions[1], anna)["previous"] is None

    def test_queue_of_a_former_member_is_empty(self, session, anna):
        self.give([session], [anna])
        Membership.objects.filter(user=anna).delete()
        assert review_queue.of(User.objects.get(pk=anna.pk)).to_score == 0

    def test_interview_under_way_does_not_wait(self, session, anna):
        self.give([session], [anna])
        Session.objects.update(status="under_way")
        assert review_queue.of(anna).to_score == 0

    def test_attempt_set_aside_waits_for_no_one_and_is_no_load(self, make_session, anna, ben):
        first, second = make_session(), make_session()
        self.give([first], [anna])
        notes.write(session=first, text="@anna, look", is_shared=True, by=ben, now=timezone.now())
        attempts.reset(invitation=first.invitation, by=ben, now=timezone.now())
        waiting = review_queue.of(anna)
        assert (waiting.to_score, waiting.mentions) == (0, [])
        self.give([second], [anna, ben])
        assert second.assignments.get().reviewer == anna

    def test_attempt_set_aside_is_not_assigned_by_its_address(self, client, member, session, anna):
        person = member(Role.RECRUITER)
        attempts.reset(invitation=session.invitation, by=person, now=timezone.now())
        sent = {"session": [str(session.pk)], "reviewers": [anna.pk], "each": 1}
        client.post(reverse("admin:interviews_session_assign"), sent)
        assert not Assignment.objects.exists()

    def test_recruiter_assigns_from_the_list(self, client, member, make_session, anna, ben):
        member(Role.RECRUITER)
        sessions = [make_session() for _ in range(2)]
        chosen = {"action": "assign_selected", "_selected_action": [str(each.pk) for each in sessions]}
        page = client.post(reverse("admin:interviews_session_changelist"), chosen).content.decode()
        assert "2 candidates" in page

        sent = {"session": [str(each.pk) for each in sessions], "reviewers": [anna.pk, ben.pk], "each": 1}
        response = client.post(reverse("admin:interviews_session_assign"), sent)

        assert response.status_code == 302
        assert {row.reviewer for row in Assignment.objects.all()} == {anna, ben}

    @pytest.mark.parametrize("ids", [[], ["x"], ["\0"], ["0" * 32]], ids=["none", "word", "zero", "unknown"])
    def test_odd_choice_assigns_nothing(self, client, member, ids):
        member(Role.RECRUITER)
        sent = {"session": ids, "reviewers": [], "each": 1}
        assert client.post(reverse("admin:interviews_session_assign"), sent).status_code == 302
        assert not Assignment.objects.exists()

    def test_reviewer_does_not_assign(self, client, member, session):
        person = member(Role.REVIEWER)
        sent = {"session": [str(session.pk)], "reviewers": [person.pk], "each": 1}
        assert client.post(reverse("admin:interviews_session_assign"), sent).status_code == 403


def belongs_to_a_candidate(model, depth=4):
    """Whether a relation leads from a row of the model to a session or an invitation."""
    relations = [field for field in model._meta.get_fields() if field.one_to_one or field.many_to_one]
    around = [(field.concrete, field.related_model) for field in relations]
    if any(other in (Session, Invitation) for _own, other in around):
        return True
    own = [other for is_own, other in around if is_own and other._meta.app_label in ("interviews", "voice")]
    back = [other for is_own, other in around if not is_own and other is Answer]
    return depth > 0 and any(belongs_to_a_candidate(other, depth - 1) for other in [*own, *back])


def test_every_table_of_candidates_is_limited():
    ours = [*apps.get_app_config("interviews").get_models(), *apps.get_app_config("voice").get_models()]
    of_candidates = {model for model in ours if belongs_to_a_candidate(model)} | {Session}
    assert of_candidates <= {*assigned_rows.TO_SESSION, *assigned_rows.OF_NO_ONE}
    assert len(assigned_rows.TO_SESSION) > 10


@pytest.mark.django_db
class TestLimited:
    @pytest.fixture
    def rows(self, clean_redis):
        rows = organisation.make()
        rows.organisation.is_review_by_assignment = True
        rows.organisation.save()
        return rows

    def signed_in(self, rows, role):
        person = factories.MembershipFactory(organisation=rows.organisation, role=role).user
        client = Client()
        client.force_login(person)
        return client, person

    def pages_of(self, client, rows):
        """The addresses at which anything of the candidate is found."""
        answers = [(address, client.get(address.path)) for address in addresses.read_by_staff(rows)]
        return {
            address.template
            for address, response in answers
            if rows.invitation.candidate_name.encode() in addresses.body(response)
            or "/recordings/" in response.headers.get("Location", "")
        }

    def test_reviewer_finds_only_what_is_assigned(self, rows):
        client, person = self.signed_in(rows, Role.REVIEWER)
        assert self.pages_of(client, rows) == set()

        Assignment.objects.create(session=rows.session, reviewer=person)

        found = self.pages_of(client, rows)
        assert "/admin/interviews/session/" in found
        assert "/admin/interviews/session/{session_id}/answers/{answer_id}/recording/" in found

    def lists(self, client, rows):
        page = client.get(reverse("admin:interviews_session_changelist")).content.decode()
        return rows.invitation.candidate_name in page

    def test_recruiter_finds_all(self, rows):
        client, _person = self.signed_in(rows, Role.RECRUITER)
        assert self.lists(client, rows)

    def test_every_table_obeys(self, rows):
        _client, person = self.signed_in(rows, Role.REVIEWER)
        other = Assignment.objects.create(session=factories.SessionFactory(), reviewer=person)
        assert other.session_id != rows.session.pk
        for model, path in assigned_rows.TO_SESSION.items():
            to_session = "" if path == "pk" else f"{path}__"
            to_organisation = f"{to_session}invitation__interview__organisation_id"
            own = model.objects.filter(**{path: rows.session.pk})
            assert own.exists(), f"the test has no {model.__name__}"
            assert not access.scoped(own, person, path=to_organisation).exists(), model.__name__

    def test_erasures_and_batches_are_shown_to_recruiters_only(self, rows):
        for role, count in ((Role.REVIEWER, 0), (Role.RECRUITER, 1)):
            _client, person = self.signed_in(rows, role)
            for model in assigned_rows.OF_NO_ONE:
                path = "interview__organisation_id"
                path = f"invitation__{path}" if model is GroupDeclaration else path
                own = model.objects.filter(**{path: rows.organisation.pk})[:1]
                assert own.count() == 1, f"the test has no {model.__name__}"
                seen = access.scoped(model.objects.all(), person, path=path)
                assert min(seen.count(), 1) == count, model.__name__

    def test_list_of_interviews_counts_what_is_assigned(self, rows):
        listed = {}
        for role in (Role.REVIEWER, Role.RECRUITER):
            client, _person = self.signed_in(rows, role)
            page = client.get(reverse("admin:interviews_interview_changelist"))
            listed[role] = {row.invited_n for row in page.context["cl"].queryset}
        assert listed[Role.REVIEWER] == {0}
        assert max(listed[Role.RECRUITER]) > 0

    def test_organisation_that_does_not_want_it_shows_all(self, rows):
        rows.organisation.is_review_by_assignment = False
        rows.organisation.save()
        client, _person = self.signed_in(rows, Role.REVIEWER)
        assert self.lists(client, rows)
