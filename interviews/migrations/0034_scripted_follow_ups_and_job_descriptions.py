import uuid

import django.core.validators
import django.db.models.deletion
import django.utils.timezone
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0008_organisation_language_model"),
        ("interviews", "0033_drafts_go_with_older_rows"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.AddField(
            model_name="answer",
            name="is_scripted",
            field=models.BooleanField(
                db_default=False, default=False, help_text="A follow-up that the recruiter wrote."
            ),
        ),
        migrations.AddField(
            model_name="answer",
            name="scripted_left",
            field=models.PositiveSmallIntegerField(
                db_default=0, default=0, help_text="So many scripted follow-ups may come after this answer."
            ),
        ),
        migrations.AddField(
            model_name="question",
            name="scripted_follow_ups",
            field=models.JSONField(
                blank=True,
                db_default=[],
                default=list,
                verbose_name="scripted follow-ups",
            ),
        ),
        migrations.CreateModel(
            name="JobDescription",
            fields=[
                (
                    "id",
                    models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False),
                ),
                (
                    "text",
                    models.TextField(
                        max_length=20000,
                        validators=[
                            django.core.validators.MinLengthValidator(80),
                            django.core.validators.MaxLengthValidator(20000),
                        ],
                        verbose_name="job description",
                    ),
                ),
                (
                    "language",
                    models.CharField(
                        choices=[
                            ("en", "English"),
                            ("de", "German"),
                            ("es", "Spanish"),
                            ("fr", "French"),
                            ("it", "Italian"),
                            ("nl", "Dutch"),
                            ("pl", "Polish"),
                            ("pt", "Portuguese"),
                            ("hi", "Hindi"),
                            ("ja", "Japanese"),
                            ("zh", "Chinese"),
                        ],
                        default="en",
                        max_length=16,
                        verbose_name="language",
                    ),
                ),
                (
                    "question_count",
                    models.PositiveSmallIntegerField(
                        default=6,
                        validators=[
                            django.core.validators.MinValueValidator(3),
                            django.core.validators.MaxValueValidator(12),
                        ],
                        verbose_name="questions",
                    ),
                ),
                (
                    "status",
                    models.CharField(
                        choices=[
                            ("waiting", "waiting"),
                            ("sent", "being drafted"),
                            ("drafted", "drafted"),
                            ("refused", "answer not used"),
                            ("failed", "failed"),
                            ("cancelled", "cancelled"),
                        ],
                        default="waiting",
                        max_length=10,
                        verbose_name="status",
                    ),
                ),
                ("reason", models.CharField(blank=True, default="", max_length=40, verbose_name="reason")),
                ("left_out", models.JSONField(default=list)),
                ("model", models.CharField(blank=True, default="", max_length=200, verbose_name="model")),
                (
                    "prompt_version",
                    models.CharField(
                        blank=True, default="", max_length=40, verbose_name="version of the prompt"
                    ),
                ),
                ("sent", models.JSONField(default=dict, verbose_name="sent")),
                ("received", models.TextField(blank=True, default="", verbose_name="received")),
                ("input_tokens", models.PositiveIntegerField(null=True)),
                ("output_tokens", models.PositiveIntegerField(null=True)),
                ("sent_at", models.DateTimeField(null=True, verbose_name="sent at")),
                ("took_ms", models.PositiveIntegerField(null=True, verbose_name="took (ms)")),
                (
                    "created_at",
                    models.DateTimeField(default=django.utils.timezone.now, verbose_name="created"),
                ),
                (
                    "created_by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "interview",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="job_descriptions",
                        to="interviews.interview",
                        verbose_name="interview",
                    ),
                ),
                (
                    "organisation",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="job_descriptions",
                        to="accounts.organisation",
                        verbose_name="organisation",
                    ),
                ),
            ],
            options={
                "verbose_name": "job description",
                "verbose_name_plural": "job descriptions",
                "ordering": ["-created_at"],
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("status__in", ["waiting", "sent"])),
                        fields=("organisation",),
                        name="one_job_description_an_organisation",
                    ),
                    models.UniqueConstraint(
                        condition=models.Q(("status", "sent")),
                        fields=("status",),
                        name="one_job_description_at_a_time",
                    ),
                ],
            },
        ),
    ]
