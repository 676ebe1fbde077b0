from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0001_initial"),
    ]

    operations = [
        migrations.AddField(
            model_name="organisation",
            name="contact_email",
            field=models.EmailField(
                blank=True,
                db_default="",
                help_text="Shown to candidates who have a question after their interview.",
                max_length=254,
                verbose_name="contact",
            ),
        ),
    ]
