from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('voice', '0002_speech_service'),
    ]

    operations = [
        migrations.AddIndex(
            model_name='batchfile',
            index=models.Index(condition=models.Q(models.Q(('status', 'waiting'), _negated=True), models.Q(('storage_name', ''), _negated=True)), fields=['retry_at'], name='batch_uploads_to_delete'),
        ),
    ]
