"""What is looked at for a transfer leaves out the addresses: whether letters go is asked when they do."""

from django.db import migrations

from loyalty.sql import transfers

# What a function returns cannot be replaced.
LOSE = "drop function loyalty_transfer_facts;"


class Migration(migrations.Migration):
    dependencies = [("loyalty", "0008_kernel_tells")]

    operations = [migrations.RunSQL(LOSE + transfers(), migrations.RunSQL.noop)]
