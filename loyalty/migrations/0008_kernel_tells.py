"""The kernel tells members when pending points become available: it may add to their messages."""

from django.db import migrations

from loyalty.sql import kernel

# Only the ledger's functions run as that role, and of the messages they only add some.
RIGHTS = """
grant insert on accounts_message to ballada_ledger;
grant usage on sequence accounts_message_id_seq to ballada_ledger;
"""


class Migration(migrations.Migration):
    dependencies = [("loyalty", "0007_expiry_notices"), ("accounts", "0008_letters")]

    operations = [
        migrations.RunSQL(kernel(), migrations.RunSQL.noop),
        # The kernel stays as it is when this is taken back, and needs its rights.
        migrations.RunSQL(RIGHTS, migrations.RunSQL.noop),
    ]
