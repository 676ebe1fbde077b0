from django.db import migrations

# The release before deletes recordings and users, too, and does not know these columns. So the database does for
# it what `on_delete` says.
GOES, IS_EMPTIED = "CASCADE", "SET NULL"
RULES = {"recording_id": GOES, "asked_by_id": IS_EMPTIED}
# Django chooses the names of constraints, so they are looked up.
SET_RULE = """
DO $$ DECLARE its_name text; target text; BEGIN
  SELECT conname, confrelid::regclass::text INTO STRICT its_name, target FROM pg_constraint JOIN pg_attribute
    ON attrelid = conrelid AND conkey = ARRAY[attnum]
    WHERE contype = 'f' AND conrelid = 'voice_transcriptversion'::regclass AND attname = '{column}';
  EXECUTE format('ALTER TABLE voice_transcriptversion DROP CONSTRAINT %1$I, ADD CONSTRAINT %1$I
    FOREIGN KEY ({column}) REFERENCES %2$s ON DELETE {rule} DEFERRABLE INITIALLY DEFERRED', its_name, target);
END $$
"""


class Migration(migrations.Migration):
    dependencies = [("voice", "0108_transcript_versions")]

    operations = [
        migrations.RunSQL(SET_RULE.format(column=column, rule=rule), migrations.RunSQL.noop)
        for column, rule in RULES.items()
    ]
