"""The ledger's kernel, and the rows that it and the rules begin with."""

from django.db import migrations

from loyalty.sql import kernel

PROGRAMME_ACCOUNTS = "insert into loyalty_points_account (id) values (-1), (-2), (-3), (-4)"


class Migration(migrations.Migration):
    dependencies = [("loyalty", "0001_initial")]

    operations = [
        migrations.RunSQL(PROGRAMME_ACCOUNTS, migrations.RunSQL.noop),
        migrations.RunSQL(kernel(), "drop schema ledger cascade"),
    ]
