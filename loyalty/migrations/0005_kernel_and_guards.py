"""The kernel with `schedule`, and what keeps transfers as they were made."""

from django.db import migrations

from loyalty.sql import kernel

GUARDS = """
create function loyalty_guard_transfer() returns trigger language plpgsql as $$
declare
    v_ending text[] := array['taken_back_at', 'reversal_id', 'ended_by', 'ended_actor_id', 'end_reason'];
begin
    if tg_op = 'UPDATE' and old.taken_back_at is null and to_jsonb(old) - v_ending = to_jsonb(new) - v_ending then
        return new;
    end if;
    raise exception 'A transfer stays as it was made: % of transfer % was refused.', tg_op, old.number
        using errcode = '42501', hint = 'Reverse it.';
end $$;
create trigger only_taken_back before update or delete on loyalty_transfer
    for each row execute function loyalty_guard_transfer();
"""
NO_GUARDS = "drop function loyalty_guard_transfer cascade"


class Migration(migrations.Migration):
    dependencies = [("loyalty", "0004_transfers")]

    operations = [
        migrations.RunSQL(kernel(), migrations.RunSQL.noop),
        migrations.RunSQL(GUARDS, NO_GUARDS),
    ]
