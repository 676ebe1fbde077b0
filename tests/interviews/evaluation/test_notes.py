"""Notes are private or shared; a mention reaches colleagues who may see the candidate."""

import string

import pytest
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st

from accounts.models import Membership
from interviews.actions import notes
from interviews.actions.errors import BadValue
from interviews.models import Mention, Note
from interviews.queries import evaluation, review_queue
from interviews.texts.mentions import mentioned
from tests import factories


@pytest.mark.parametrize(
    ("text", "found", "unknown"),
    [
        ("@anna, look", ["anna"], []),
        ("Ask @Anna. And @ben.", ["anna", "ben"], []),
        ("(@ben)", ["ben"], []),
        ("write to ada@anna", [], []),
        ("@anna.smith is not @anna", ["anna.smith", "anna"], []),
        ("@carl?", [], ["carl"]),
        ("@anna @anna", ["anna"], []),
        ("@ alone, @@anna", [], []),
    ],
)
def test_mentions_in_a_text(text, found, unknown):
    assert mentioned(text, ["anna", "ben", "anna.smith"]) == (found, unknown)


@given(text=st.text(alphabet=string.printable + "@äß.", max_size=80))
def test_every_mention_is_a_username_or_unknown(text):
    found, unknown = mentioned(text, ["anna", "ben"])
    assert set(found) <= {"anna", "ben"}
    assert all(f"@{word}" in text for word in unknown)


def write(session, by, text, *, is_shared=True):
    return notes.write(session=session, text=text, is_shared=is_shared, by=by, now=timezone.now())


@pytest.mark.django_db
class TestNotes:
    def test_private_note_is_its_authors(self, session, anna, ben, submit):
        submit(session, anna, 1, 1)
        submit(session, ben, 1, 1)
        write(session, anna, "mine", is_shared=False)
        write(session, anna, "ours")
        assert [note.text for note in evaluation.of(session, anna).notes] == ["mine", "ours"]
        assert [note.text for note in evaluation.of(session, ben).notes] == ["ours"]

    def test_mention_waits_for_the_person(self, session, anna, ben):
        write(session, anna, "@ben, what do you think? @anna")
        [mention] = review_queue.of(ben).mentions
        assert mention.note.author == anna
        assert review_queue.of(anna).mentions == [], "a person is not told of the own note"

        notes.mark_seen(mention=mention, by=anna, now=timezone.now())
        assert review_queue.of(ben).mentions == [mention], "another person saw it"
        notes.mark_seen(mention=mention, by=ben, now=timezone.now())
        assert review_queue.of(ben).mentions == []

    @pytest.mark.parametrize(
        ("text", "is_shared", "reason"),
        [
            (" ", True, "empty"),
            ("x" * 4001, True, "at most 4000"),
            ("@carl", True, "called @carl"),
            ("@stranger", True, "called @stranger"),
            ("@ben", False, "private note"),
        ],
    )
    def test_note_that_would_reach_no_one_is_refused(self, session, anna, ben, text, is_shared, reason):
        factories.MembershipFactory(user__username="stranger")
        with pytest.raises(BadValue, match=reason):
            write(session, anna, text, is_shared=is_shared)
        assert not Note.objects.exists()

    def test_colleague_who_may_not_see_the_candidate_is_not_mentioned(self, session, anna, ben, assigned):
        organisation = session.interview.organisation
        organisation.is_review_by_assignment = True
        organisation.save()
        assigned(session, anna)
        with pytest.raises(BadValue, match="called @ben"):
            write(session, anna, "@ben, look")
        assigned(session, ben)
        write(session, anna, "@ben, look")
        assert Mention.objects.get().person == ben

    def test_mention_of_a_former_colleague_is_not_shown(self, session, anna, ben):
        write(session, anna, "@ben, look")
        Membership.objects.filter(user=ben).delete()
        assert review_queue.of(ben.__class__.objects.get(pk=ben.pk)).mentions == []
