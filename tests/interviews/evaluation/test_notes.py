"""Notes are private or shared; a mention reaches colleagues who may see the candidate."""

import string

import pytest
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st

from accounts.models import Membership
from interviews.actions import notes
from interviews.actions.errors import BadValue, NotYours
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


def edit(note, by, text, *, is_shared=True):
    notes.edit(note=note, text=text, is_shared=is_shared, by=by, now=timezone.now())
    note.refresh_from_db()


@pytest.mark.django_db
class TestChangingNotes:
    def test_author_changes_a_note_and_it_says_so(self, session, anna):
        note = write(session, anna, "Good")
        edit(note, anna, "Very good", is_shared=False)
        assert (note.text, note.is_shared) == ("Very good", False)
        assert note.edited_at >= note.written_at

    def test_note_that_stays_the_same_is_not_edited(self, session, anna):
        note = write(session, anna, "Good")
        edit(note, anna, " Good ")
        assert note.edited_at is None

    def test_mentions_follow_the_text_and_what_was_seen_stays_seen(self, session, anna, ben, reviewer):
        cleo = reviewer("cleo")
        note = write(session, anna, "@ben, look")
        [mention] = review_queue.of(ben).mentions
        notes.mark_seen(mention=mention, by=ben, now=timezone.now())
        edit(note, anna, "@ben and @cleo, look")
        assert review_queue.of(ben).mentions == []
        assert len(review_queue.of(cleo).mentions) == 1
        edit(note, anna, "@ben, look")
        assert [one.person for one in note.mentions.all()] == [ben]

    @pytest.mark.parametrize(
        ("text", "is_shared", "reason"),
        [("", True, "empty"), ("@carl", True, "called @carl"), ("@ben", False, "private note")],
    )
    def test_change_that_would_reach_no_one_is_refused(self, session, anna, ben, text, is_shared, reason):
        note = write(session, anna, "@ben, look")
        with pytest.raises(BadValue, match=reason):
            edit(note, anna, text, is_shared=is_shared)
        note.refresh_from_db()
        assert (note.text, note.mentions.count()) == ("@ben, look", 1)

    def test_note_of_another_is_neither_changed_nor_deleted(self, session, anna, ben):
        note = write(session, anna, "Good")
        with pytest.raises(NotYours):
            edit(note, ben, "Bad")
        with pytest.raises(NotYours):
            notes.delete(note=note, by=ben)
        assert Note.objects.get().text == "Good"

    def test_author_deletes_a_note_with_its_mentions(self, session, anna, ben):
        note = write(session, anna, "@ben, look")
        notes.delete(note=note, by=anna)
        assert not Note.objects.exists()
        assert review_queue.of(ben).mentions == []
        with pytest.raises(NotYours):
            edit(note, anna, "again")

    def test_log_has_no_word_of_it(self, session, anna, caplog):
        with caplog.at_level("INFO"):
            note = write(session, anna, "secret words")
            edit(note, anna, "other words")
            notes.delete(note=note, by=anna)
        assert "is edited by" in caplog.text
        assert "words" not in caplog.text
