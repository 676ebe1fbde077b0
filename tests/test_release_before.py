"""Processes of the release before delete rows while the new ones run, and do not know the new tables."""

import pytest
from django.apps import apps
from django.db import IntegrityError, connection
from django.db.migrations.loader import MigrationLoader
from django.db.models import CASCADE, SET_NULL, ForeignKey
from django.utils import timezone

from interviews.actions import attempts
from interviews.models import (
    Accommodation,
    Answer,
    Assignment,
    Correction,
    Criterion,
    Decision,
    Invitation,
    Mention,
    Note,
    Observation,
    Scorecard,
    Session,
    Submission,
)
from tests.factories import AnswerFactory, CriterionFactory, SessionFactory, UserFactory

pytestmark = pytest.mark.django_db

RELEASE_BEFORE = [
    ("accounts", "0004_admin_log_without_names"),
    ("interviews", "0013_publish_interviews"),
    ("voice", "0011_speech_that_is_misheard"),
]
RULES = {"CASCADE": "c", "SET_NULL": "n"}
FOREIGN_KEYS = """
SELECT conrelid::regclass::text, attname, confdeltype FROM pg_constraint
JOIN pg_attribute ON attrelid = conrelid AND conkey = ARRAY[attnum] WHERE contype = 'f'
"""
OF_INVITATION = "SELECT id FROM interviews_session WHERE invitation_id = %s"


def known_columns() -> set[tuple[str, str]]:
    """Return (table, column) of everything that the release before knows."""
    state = MigrationLoader(connection).project_state(RELEASE_BEFORE)
    return {
        (model._meta.db_table, field.column)
        for model in state.apps.get_models(include_auto_created=True)
        for field in model._meta.concrete_fields
    }


def new_foreign_keys() -> dict[tuple[str, str], str]:
    """Return the rule that a model gives to each foreign key which the release before does not know."""
    known = known_columns()
    ours = [
        model
        for model in apps.get_models(include_auto_created=True)
        if model._meta.app_label in ("accounts", "interviews", "voice")
    ]
    return {
        (model._meta.db_table, field.column): RULES[field.remote_field.on_delete.__name__]
        for model in ours
        for field in model._meta.concrete_fields
        if isinstance(field, ForeignKey)
        and field.remote_field.on_delete in (CASCADE, SET_NULL)
        and (model._meta.db_table, field.column) not in known
    }


def delete_as_before(invitation: Invitation) -> None:
    """Delete the four tables of a candidate as release 6e56dac does, and check what a commit checks."""
    with connection.cursor() as cursor:
        for statement in (
            "DELETE FROM interviews_message WHERE invitation_id = %s",
            f"DELETE FROM interviews_answer WHERE session_id IN ({OF_INVITATION})",
            "DELETE FROM interviews_session WHERE invitation_id = %s",
            "DELETE FROM interviews_invitation WHERE id = %s",
        ):
            cursor.execute(statement, [invitation.pk])
    connection.check_constraints()


def test_database_follows_every_rule_that_the_release_before_does_not_know():
    with connection.cursor() as cursor:
        cursor.execute(FOREIGN_KEYS)
        in_database = {(table, column): rule for table, column, rule in cursor.fetchall()}

    wanted = new_foreign_keys()

    assert ("interviews_observation", "session_id") in wanted
    constrained = {key: rule for key, rule in wanted.items() if key in in_database}
    assert {key: in_database[key] for key in constrained} == constrained


def test_release_before_deletes_a_candidate_with_everything_new():
    answer = AnswerFactory(accepted=True)
    session, now, by = answer.session, timezone.now(), UserFactory()
    Observation.objects.create(session=session, kind=Observation.Kind.values[0])
    Correction.objects.create(answer=answer, made_by=by, first_word=0, last_word=1)
    Assignment.objects.create(session=session, reviewer=by)
    card = Scorecard.objects.create(session=session, reviewer=by)
    Submission.objects.create(scorecard=card, is_blind=True)
    Decision.objects.create(session=session, outcome=Decision.Outcome.values[0])
    Mention.objects.create(note=Note.objects.create(session=session, author=by), person=by)
    given = Accommodation.objects.create(invitation=session.invitation, given_at=now)
    Invitation.objects.filter(pk=session.invitation_id).update(accommodation=given)

    delete_as_before(session.invitation)

    gone = [Observation, Correction, Assignment, Scorecard, Submission, Decision, Note, Mention]
    gone += [Accommodation, Invitation, Session, Answer]
    assert not [model.__name__ for model in gone if model.objects.exists()]


def test_release_before_deletes_a_question_of_a_criterion():
    criterion = CriterionFactory()
    question = criterion.interview.questions.first()
    criterion.questions.add(question)

    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM interviews_question WHERE id = %s", [question.pk])
    connection.check_constraints()

    assert Criterion.objects.get().questions.count() == 0


def test_release_before_leaves_no_recordings_of_an_attempt_that_was_set_aside():
    """It does not know that attempt, so it deletes nothing at all; this release erases both."""
    session = SessionFactory(finished=True, answers=1, answers__accepted=True)
    attempts.reset(invitation=session.invitation, by=UserFactory(), now=timezone.now())

    with pytest.raises(IntegrityError):
        delete_as_before(session.invitation)
