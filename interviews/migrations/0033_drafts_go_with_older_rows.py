from django.db import migrations

# The release before deletes candidates, too, and does not know these tables (0024).
RULES = {
    ("interviews_draftevaluation", "session_id"): "interviews_session",
    ("interviews_draftrequest", "draft_id"): "interviews_draftevaluation",
    ("interviews_draftrequest", "answer_id"): "interviews_answer",
    ("interviews_suggestion", "draft_id"): "interviews_draftevaluation",
}
SET_RULE = """
DO $$ DECLARE its_name text; BEGIN
  SELECT conname INTO STRICT its_name FROM pg_constraint JOIN pg_attribute
    ON attrelid = conrelid AND conkey = ARRAY[attnum]
    WHERE contype = 'f' AND conrelid = '{table}'::regclass AND attname = '{column}';
  EXECUTE format('ALTER TABLE {table} DROP CONSTRAINT %1$I, ADD CONSTRAINT %1$I FOREIGN KEY ({column})
    REFERENCES {target} ON DELETE CASCADE DEFERRABLE INITIALLY DEFERRED', its_name);
END $$
"""


class Migration(migrations.Migration):

    dependencies = [
        ("interviews", "0032_draft_evaluations"),
    ]

    operations = [
        migrations.RunSQL(
            SET_RULE.format(table=table, column=column, target=target), migrations.RunSQL.noop
        )
        for (table, column), target in RULES.items()
    ]
