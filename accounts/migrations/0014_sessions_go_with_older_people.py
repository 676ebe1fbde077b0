from django.db import migrations

# The release before deletes people, too, and does not know their sessions (interviews 0024).
SET_RULE = """
DO $$ DECLARE its_name text; BEGIN
  SELECT conname INTO STRICT its_name FROM pg_constraint JOIN pg_attribute
    ON attrelid = conrelid AND conkey = ARRAY[attnum]
    WHERE contype = 'f' AND conrelid = 'accounts_browsersession'::regclass AND attname = 'user_id';
  EXECUTE format('ALTER TABLE accounts_browsersession DROP CONSTRAINT %1$I, ADD CONSTRAINT %1$I
    FOREIGN KEY (user_id) REFERENCES accounts_user ON DELETE CASCADE DEFERRABLE INITIALLY DEFERRED', its_name);
END $$
"""


class Migration(migrations.Migration):

    dependencies = [("accounts", "0013_second_factor_and_sessions")]

    operations = [migrations.RunSQL(SET_RULE, migrations.RunSQL.noop)]
