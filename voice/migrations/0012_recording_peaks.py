from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("voice", "0011_speech_that_is_misheard")]

    operations = [
        migrations.AddField(
            model_name="recording",
            name="peaks",
            field=models.BinaryField(
                db_default=b"",
                default=b"",
                help_text="voice.audio.peaks of it, once stored; empty if an older release stored it.",
            ),
        ),
    ]
