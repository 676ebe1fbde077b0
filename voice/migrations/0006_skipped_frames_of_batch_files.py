from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('voice', '0005_segments_of_any_length'),
    ]

    operations = [
        migrations.AddField(
            model_name='batchfile',
            name='skipped_frames',
            field=models.PositiveIntegerField(db_default=0, default=0, help_text='Damaged or unknown frames of the file.'),
        ),
    ]
