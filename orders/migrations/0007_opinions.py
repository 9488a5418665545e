import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0008_letters"),
        ("orders", "0006_console"),
    ]

    operations = [
        migrations.CreateModel(
            name="Opinion",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "score",
                    models.PositiveSmallIntegerField(
                        blank=True, help_text="Empty: the question was skipped.", null=True
                    ),
                ),
                ("given_at", models.DateTimeField()),
                (
                    "member",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="opinions",
                        to="accounts.member",
                    ),
                ),
            ],
            options={
                "indexes": [
                    models.Index(fields=["member", "-given_at"], name="opinion_by_member"),
                    models.Index(
                        condition=models.Q(("score__isnull", False)),
                        fields=["given_at"],
                        name="opinion_by_time",
                    ),
                ],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("score", None), ("score__lte", 10), _connector="OR"),
                        name="opinion_is_up_to_ten",
                    )
                ],
            },
        ),
    ]
