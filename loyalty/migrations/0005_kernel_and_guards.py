"""The kernel with `schedule`, the functions about transfers, and what keeps these as they were made."""

from django.db import migrations

from loyalty.sql import kernel, transfers

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
NO_FUNCTIONS = """
drop function loyalty_keep_transfer, loyalty_transfer_facts, loyalty_may_receive, loyalty_is_active,
    loyalty_received_points, loyalty_given_points, loyalty_changed_at
"""


class Migration(migrations.Migration):
    dependencies = [("loyalty", "0004_transfers"), ("accounts", "0005_messages_and_audit")]

    operations = [
        migrations.RunSQL(kernel(), migrations.RunSQL.noop),
        migrations.RunSQL(transfers(), NO_FUNCTIONS),
        migrations.RunSQL(GUARDS, NO_GUARDS),
    ]
