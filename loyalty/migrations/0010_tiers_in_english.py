"""Tiers may have their texts in English, too; those of the first edition have English names from here on."""

from django.db import migrations, models

# That edition came with a migration, in the programme's first language, so its other names do too. Nothing
# that anybody earns by is touched; every other change of published rules is still refused.
FIRST_EDITION = """
alter table loyalty_tier disable trigger stays_as_published;
update loyalty_tier as tier
   set name_en = known.name_en
  from (values ('Базовый', 'Basic'), ('Серебро', 'Silver'), ('Золото', 'Gold')) as known (name, name_en),
       loyalty_rule_set as edition
 where known.name = tier.name and edition.id = tier.rule_set_id and edition.number = 1;
alter table loyalty_tier enable trigger stays_as_published;
"""


class Migration(migrations.Migration):
    dependencies = [("loyalty", "0009_transfer_facts")]

    operations = [
        migrations.AddField(
            model_name="tier",
            name="name_en",
            field=models.CharField(blank=True, db_default="", default="", max_length=50),
        ),
        migrations.AddField(
            model_name="tier",
            name="gives_en",
            field=models.TextField(blank=True, db_default="", default=""),
        ),
        migrations.AddConstraint(
            model_name="tier",
            constraint=models.UniqueConstraint(
                condition=models.Q(("name_en", ""), _negated=True),
                fields=("rule_set", "name_en"),
                name="tier_has_its_english_name",
            ),
        ),
        migrations.RunSQL(FIRST_EDITION, migrations.RunSQL.noop),
    ]
