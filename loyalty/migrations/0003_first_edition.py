"""The first edition of the rules, and what keeps editions as they were published."""

from datetime import UTC, datetime
from decimal import Decimal

from django.db import migrations
from django.utils import timezone

# Orders of any age may be taken over, so the first edition has always been in force.
ALWAYS = datetime(1970, 1, 1, tzinfo=UTC)
# Names are data that people see, in the programme's first language.
TIERS = (
    ("Базовый", 0, "0.03", "0.01", "#8a8f98"),
    ("Серебро", 30_000, "0.05", "0.02", "#9fb3c8"),
    ("Золото", 100_000, "0.07", "0.03", "#d4a017"),
)

GUARDS = """
create function loyalty_guard_rule_set() returns trigger language plpgsql as $$
begin
    if tg_op = 'TRUNCATE' then
        raise exception 'Published rules never change: TRUNCATE was refused.' using errcode = '42501';
    end if;
    if tg_op <> 'INSERT' and old.number is not null then
        raise exception 'Published rules never change: % of edition % was refused.', tg_op, old.number
            using errcode = '42501', hint = 'Make a new draft and publish it.';
    end if;
    if tg_op = 'DELETE' then
        return old;
    end if;
    if new.number is null then
        return new;
    end if;
    if tg_op = 'INSERT' then
        raise exception 'Rules begin as a draft and are published with their tiers.' using errcode = '23514';
    end if;
    if exists (
        select from loyalty_rule_set
        having new.number <> coalesce(max(number), 0) + 1 or new.effective_at < max(effective_at)
    ) then
        raise exception 'Edition % is not the next one, or takes effect before the last one.', new.number
            using errcode = '23514';
    end if;
    if not exists (select from loyalty_tier where rule_set_id = new.id) or exists (
        select from (
            select position <> row_number() over in_order - 1 as has_gap,
                   threshold_sum <= lag(threshold_sum) over in_order as is_falling
              from loyalty_tier where rule_set_id = new.id
            window in_order as (order by position)
        ) as tiers where has_gap or is_falling
    ) then
        raise exception 'The thresholds of an edition rise with its tiers, without gaps.' using errcode = '23514';
    end if;
    return new;
end $$;

-- The share lock makes a change of a draft's tiers and its publishing wait for each other.
create function loyalty_guard_tier() returns trigger language plpgsql as $$
declare
    v_number integer;
begin
    if tg_op = 'TRUNCATE' then
        raise exception 'Published rules never change: TRUNCATE was refused.' using errcode = '42501';
    end if;
    if tg_op <> 'INSERT' then
        select number into v_number from loyalty_rule_set where id = old.rule_set_id for share;
    end if;
    if v_number is null and tg_op <> 'DELETE' then
        select number into v_number from loyalty_rule_set where id = new.rule_set_id for share;
    end if;
    if v_number is not null then
        raise exception 'Published rules never change: % of a tier of edition % was refused.', tg_op, v_number
            using errcode = '42501', hint = 'Make a new draft and publish it.';
    end if;
    if tg_op = 'DELETE' then
        return old;
    end if;
    return new;
end $$;

create trigger stays_as_published before insert or update or delete on loyalty_rule_set
    for each row execute function loyalty_guard_rule_set();
create trigger is_never_emptied before truncate on loyalty_rule_set
    for each statement execute function loyalty_guard_rule_set();
create trigger stays_as_published before insert or update or delete on loyalty_tier
    for each row execute function loyalty_guard_tier();
create trigger is_never_emptied before truncate on loyalty_tier
    for each statement execute function loyalty_guard_tier();
"""

NO_GUARDS = """
drop trigger stays_as_published on loyalty_rule_set;
drop trigger is_never_emptied on loyalty_rule_set;
drop trigger stays_as_published on loyalty_tier;
drop trigger is_never_emptied on loyalty_tier;
drop function loyalty_guard_rule_set();
drop function loyalty_guard_tier();
"""


def publish_first_edition(apps, schema_editor):
    rule_set = apps.get_model("loyalty", "RuleSet").objects.create(
        number=1, effective_at=ALWAYS, published_at=timezone.now(), reason="Первые правила программы"
    )
    tier_model = apps.get_model("loyalty", "Tier")
    tier_model.objects.bulk_create(
        tier_model(
            rule_set=rule_set,
            position=position,
            name=name,
            threshold_sum=Decimal(threshold_sum),
            coefficient=Decimal(coefficient),
            referral_rate=Decimal(referral_rate),
            colour=colour,
        )
        for position, (name, threshold_sum, coefficient, referral_rate, colour) in enumerate(TIERS)
    )


def delete_editions(apps, schema_editor):
    apps.get_model("loyalty", "RuleSet").objects.all().delete()


class Migration(migrations.Migration):
    dependencies = [("loyalty", "0002_kernel")]

    operations = [
        migrations.RunPython(publish_first_edition, delete_editions),
        migrations.RunSQL(GUARDS, NO_GUARDS),
    ]
