import django.db.models.deletion
import django.utils.timezone
import uuid
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ("interviews", "0013_publish_interviews"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name='Correction',
            fields=[
                ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ('first_word', models.PositiveIntegerField(help_text='The first recognised word it stands for, counted from 0.')),
                ('last_word', models.PositiveIntegerField(help_text='The last recognised word it stands for.')),
                ('recognised', models.TextField(help_text='These words. It is in force only where they still stand.')),
                ('text', models.TextField(help_text='Empty: nothing was said. Null: what was recognised is right.', null=True)),
                ('made_at', models.DateTimeField(default=django.utils.timezone.now)),
                ('answer', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='corrections', to='interviews.answer')),
                ('made_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'ordering': ['made_at', 'id'],
                'constraints': [models.CheckConstraint(condition=models.Q(('last_word__gte', models.F('first_word'))), name='correction_is_of_a_word_at_least')],
            },
        ),
        migrations.CreateModel(
            name='Observation',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('kind', models.CharField(choices=[('reconnected', 'The connection was lost and came back.'), ('opened_again', 'The page was opened again: a reload, another tab or another device.')], max_length=20)),
                ('happened_at', models.DateTimeField(default=django.utils.timezone.now)),
                ('session', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='observations', to='interviews.session')),
            ],
            options={
                'ordering': ['happened_at', 'id'],
            },
        ),
    ]
