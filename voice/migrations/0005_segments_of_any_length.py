"""A recording whose segments lie in object storage while this runs cannot be read afterwards: end interviews first."""

from django.contrib.postgres.fields import ArrayField
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('voice', '0004_segments_and_deferred_transcripts'),
    ]

    operations = [
        migrations.RemoveField(
            model_name='recording',
            name='stored_segments',
        ),
        migrations.AddField(
            model_name='recording',
            name='segment_ends',
            field=ArrayField(base_field=models.PositiveBigIntegerField(), db_default=[], default=list, help_text='Bytes at which its segments in object storage end, while it grows.', size=None),
        ),
        migrations.AddIndex(
            model_name='recording',
            index=models.Index(condition=models.Q(('status', 'open')), fields=['id'], name='recordings_open'),
        ),
    ]
