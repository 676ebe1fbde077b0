from django.db import migrations

# As in 0024: the release before deletes candidates and organisations without knowing these columns. So the
# database does for it what `on_delete` says.
GOES = "CASCADE"
RULES = {
    ("interviews_groupsurvey", "organisation_id", "accounts_organisation"): GOES,
    ("interviews_groupdeclaration", "invitation_id", "interviews_invitation"): GOES,
    ("interviews_impactreport", "organisation_id", "accounts_organisation"): GOES,
    ("interviews_impactreport_interviews", "impactreport_id", "interviews_impactreport"): GOES,
    ("interviews_impactreport_interviews", "interview_id", "interviews_interview"): GOES,
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
        ("interviews", "0028_self_declared_groups"),
    ]

    operations = [
        migrations.RunSQL(
            SET_RULE.format(table=table, column=column, target=target, rule=rule), migrations.RunSQL.noop
        )
        for (table, column, target), rule in RULES.items()
    ]
