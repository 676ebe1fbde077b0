from django.db import migrations

# The release before deletes interviews and users, too, and does not know this table. So the database does for
# it what `on_delete` says, as in 0024. This is a migration of its own, for Django adds foreign keys at the end
# of one.
RULES = {
    ("organisation_id", "accounts_organisation"): "CASCADE",
    ("interview_id", "interviews_interview"): "CASCADE",
    ("created_by_id", "accounts_user"): "SET NULL",
}
SET_RULE = """
DO $$ DECLARE its_name text; BEGIN
  SELECT conname INTO STRICT its_name FROM pg_constraint JOIN pg_attribute
    ON attrelid = conrelid AND conkey = ARRAY[attnum]
    WHERE contype = 'f' AND conrelid = 'interviews_jobdescription'::regclass AND attname = '{column}';
  EXECUTE format('ALTER TABLE interviews_jobdescription DROP CONSTRAINT %1$I, ADD CONSTRAINT %1$I
    FOREIGN KEY ({column}) REFERENCES {target} ON DELETE {rule} DEFERRABLE INITIALLY DEFERRED', its_name);
END $$
"""


class Migration(migrations.Migration):
    dependencies = [
        ("interviews", "0034_scripted_follow_ups_and_job_descriptions"),
    ]

    operations = [
        migrations.RunSQL(SET_RULE.format(column=column, target=target, rule=rule), migrations.RunSQL.noop)
        for (column, target), rule in RULES.items()
    ]
