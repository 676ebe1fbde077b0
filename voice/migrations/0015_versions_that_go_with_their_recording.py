from django.db import migrations

# The release before deletes recordings, too, and does not know this table. So the database does for it what
# `on_delete` says. Django chooses the names of constraints, so it is looked up.
SET_RULE = """
DO $$ DECLARE its_name text; BEGIN
  SELECT conname INTO STRICT its_name FROM pg_constraint JOIN pg_attribute
    ON attrelid = conrelid AND conkey = ARRAY[attnum]
    WHERE contype = 'f' AND conrelid = 'voice_transcriptversion'::regclass AND attname = 'recording_id';
  EXECUTE format('ALTER TABLE voice_transcriptversion DROP CONSTRAINT %1$I, ADD CONSTRAINT %1$I
    FOREIGN KEY (recording_id) REFERENCES voice_recording ON DELETE CASCADE DEFERRABLE INITIALLY DEFERRED',
    its_name);
END $$
"""


class Migration(migrations.Migration):
    dependencies = [("voice", "0014_transcript_versions")]

    operations = [migrations.RunSQL(SET_RULE, migrations.RunSQL.noop)]
