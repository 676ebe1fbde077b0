from django.db import migrations

# The release before deletes candidates, interviews and users, too, and does not know these columns. So the
# database does for it what `on_delete` says.
GOES, IS_EMPTIED = "CASCADE", "SET NULL"
RULES = {
    ("interviews_observation", "session_id", "interviews_session"): GOES,
    ("interviews_correction", "answer_id", "interviews_answer"): GOES,
    ("interviews_correction", "made_by_id", "accounts_user"): IS_EMPTIED,
    ("interviews_exchange", "answer_id", "interviews_answer"): GOES,
    ("interviews_assignment", "session_id", "interviews_session"): GOES,
    ("interviews_assignment", "assigned_by_id", "accounts_user"): IS_EMPTIED,
    ("interviews_scorecard", "session_id", "interviews_session"): GOES,
    ("interviews_submission", "scorecard_id", "interviews_scorecard"): GOES,
    ("interviews_decision", "session_id", "interviews_session"): GOES,
    ("interviews_decision", "decided_by_id", "accounts_user"): IS_EMPTIED,
    ("interviews_note", "session_id", "interviews_session"): GOES,
    ("interviews_mention", "note_id", "interviews_note"): GOES,
    ("interviews_accommodation", "invitation_id", "interviews_invitation"): GOES,
    ("interviews_accommodation", "given_by_id", "accounts_user"): IS_EMPTIED,
    ("interviews_invitation", "accommodation_id", "interviews_accommodation"): IS_EMPTIED,
    # The session of an attempt that was set aside does not go: its recordings would be left. So the release
    # before cannot erase a candidate who has begun again, and this one does.
    ("interviews_invitation", "set_aside_of_id", "interviews_invitation"): GOES,
    ("interviews_invitation", "open_link_id", "interviews_openlink"): IS_EMPTIED,
    ("interviews_openlink", "interview_id", "interviews_interview"): GOES,
    ("interviews_openlink", "created_by_id", "accounts_user"): IS_EMPTIED,
    ("interviews_application", "open_link_id", "interviews_openlink"): GOES,
    ("interviews_criterion", "interview_id", "interviews_interview"): GOES,
    ("interviews_criterion_questions", "criterion_id", "interviews_criterion"): GOES,
    ("interviews_criterion_questions", "question_id", "interviews_question"): GOES,
    ("interviews_question", "source_id", "interviews_bankquestion"): IS_EMPTIED,
    ("interviews_bankquestion", "organisation_id", "accounts_organisation"): GOES,
    ("interviews_bankquestion", "created_by_id", "accounts_user"): IS_EMPTIED,
    ("interviews_vocabulary", "organisation_id", "accounts_organisation"): GOES,
    ("accounts_colleagueinvitation", "organisation_id", "accounts_organisation"): GOES,
    ("accounts_colleagueinvitation", "created_by_id", "accounts_user"): IS_EMPTIED,
    ("accounts_colleagueinvitation", "accepted_by_id", "accounts_user"): IS_EMPTIED,
}
# Django chooses the names of constraints, so they are looked up.
SET_RULE = """
DO $$ DECLARE its_name text; BEGIN
  SELECT conname INTO STRICT its_name FROM pg_constraint JOIN pg_attribute
    ON attrelid = conrelid AND conkey = ARRAY[attnum]
    WHERE contype = 'f' AND conrelid = '{table}'::regclass AND attname = '{column}';
  EXECUTE format('ALTER TABLE {table} DROP CONSTRAINT %1$I, ADD CONSTRAINT %1$I FOREIGN KEY ({column})
    REFERENCES {target} ON DELETE {rule} DEFERRABLE INITIALLY DEFERRED', its_name);
END $$
"""


class Migration(migrations.Migration):

    dependencies = [
        ("interviews", "0023_judgement_seen"),
        ("accounts", "0007_contact_and_logo"),
    ]

    operations = [
        migrations.RunSQL(
            SET_RULE.format(table=table, column=column, target=target, rule=rule), migrations.RunSQL.noop
        )
        for (table, column, target), rule in RULES.items()
    ]
