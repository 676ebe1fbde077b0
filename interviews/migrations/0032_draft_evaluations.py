import django.db.models.deletion
import django.utils.timezone
import uuid
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ("interviews", "0031_messages_that_came_back"),
    ]

    operations = [
        migrations.AddField(
            model_name='interview',
            name='is_evaluation_drafted',
            field=models.BooleanField(db_default=False, default=False, help_text='The language model suggests a level for each criterion. Reviewers see it after their own score, and people decide. The consent text must say so; publishing tells you the sentence.', verbose_name='suggest levels'),
        ),
        migrations.AddField(
            model_name='interviewversion',
            name='is_evaluation_drafted',
            field=models.BooleanField(db_default=False, default=False, help_text='The language model suggests a level for each criterion. Reviewers see it after their own score, and people decide. The consent text must say so; publishing tells you the sentence.', verbose_name='suggest levels'),
        ),
        migrations.CreateModel(
            name='DraftEvaluation',
            fields=[
                ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ('status', models.CharField(choices=[('waiting', 'not made yet'), ('done', 'made'), ('failed', 'the model could not be reached'), ('ended', 'not wanted any more')], default='waiting', max_length=10)),
                ('model', models.CharField(blank=True, max_length=200, verbose_name='model')),
                ('run_by', models.CharField(blank=True, help_text='Who runs the model.', max_length=200)),
                ('prompt_version', models.CharField(blank=True, max_length=40, verbose_name='version of the prompt')),
                ('said_key', models.CharField(blank=True, max_length=64)),
                ('addressed', models.JSONField(default=list)),
                ('attempts', models.PositiveSmallIntegerField(default=0)),
                ('retry_at', models.DateTimeField(default=django.utils.timezone.now, help_text='It is queued again from then.')),
                ('made_at', models.DateTimeField(null=True)),
                ('session', models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, related_name='draft_evaluation', to='interviews.session')),
            ],
            options={
                'verbose_name': 'draft evaluation',
            },
        ),
        migrations.CreateModel(
            name='DraftRequest',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('key', models.CharField(max_length=64)),
                ('sent', models.JSONField(verbose_name='sent')),
                ('received', models.TextField(blank=True, verbose_name='received')),
                ('ending', models.CharField(blank=True, help_text='Empty: there is no answer yet.', max_length=40)),
                ('error', models.CharField(blank=True, max_length=40)),
                ('input_tokens', models.PositiveIntegerField(null=True)),
                ('output_tokens', models.PositiveIntegerField(null=True)),
                ('sent_at', models.DateTimeField(default=django.utils.timezone.now, verbose_name='sent at')),
                ('took_ms', models.PositiveIntegerField(null=True, verbose_name='took (ms)')),
                ('answer', models.ForeignKey(null=True, on_delete=django.db.models.deletion.CASCADE, related_name='+', to='interviews.answer')),
                ('draft', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='requests', to='interviews.draftevaluation')),
            ],
            options={
                'ordering': ['id'],
            },
        ),
        migrations.CreateModel(
            name='Suggestion',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('criterion', models.BigIntegerField()),
                ('level', models.PositiveSmallIntegerField(null=True)),
                ('rationale', models.TextField(blank=True)),
                ('quotes', models.JSONField(default=list)),
                ('reason', models.CharField(blank=True, max_length=40)),
                ('draft', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='suggestions', to='interviews.draftevaluation')),
            ],
            options={
                'ordering': ['id'],
            },
        ),
        migrations.AddIndex(
            model_name='draftevaluation',
            index=models.Index(condition=models.Q(('status', 'waiting')), fields=['retry_at'], name='drafts_to_make'),
        ),
        migrations.AddConstraint(
            model_name='draftrequest',
            constraint=models.UniqueConstraint(fields=('draft', 'key'), name='one_request_a_key'),
        ),
        migrations.AddConstraint(
            model_name='suggestion',
            constraint=models.UniqueConstraint(fields=('draft', 'criterion'), name='one_suggestion_a_criterion'),
        ),
        migrations.AddConstraint(
            model_name='suggestion',
            constraint=models.CheckConstraint(condition=models.Q(('level__isnull', True), models.Q(('quotes', []), _negated=True), _connector='OR'), name='suggested_level_has_a_quote'),
        ),
    ]
