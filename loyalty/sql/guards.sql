-- The ledger's kernel, part 6: what must never be. The database refuses it, whoever asks.
--
-- The operations run as the role ballada_ledger, which nobody can sign in as. Its tables refuse
-- every other writer, and its history refuses every change, even its own.

create function ledger.refuse_by_hand() returns trigger language plpgsql as $$
begin
    if current_user <> 'ballada_ledger' then
        raise exception 'The ledger is written by its own functions only: % on % was refused.', tg_op, tg_table_name
            using errcode = '42501', hint = 'Correct a mistake by a new posting: ledger.adjust or ledger.reverse.';
    end if;
    return null;
end $$;

create function ledger.refuse_change() returns trigger language plpgsql as $$
begin
    raise exception 'What happened stays as it was: % on % was refused.', tg_op, tg_table_name
        using errcode = '42501', hint = 'Add a new row that corrects the old one.';
end $$;

create function ledger.refuse_unbalanced() returns trigger language plpgsql as $$
declare
    v_posting record;
begin
    select posting_id, sum(points) as points into v_posting
      from added group by posting_id having sum(points) <> 0 limit 1;
    if found then
        raise exception 'Posting % is out of balance by % points.', v_posting.posting_id, v_posting.points
            using errcode = '23514';
    end if;
    return null;
end $$;

do $$
declare
    v_table text;
begin
    foreach v_table in array array['points_account', 'posting', 'entry', 'lot', 'credit', 'hold', 'spending', 'request'] loop
        execute format(
            'create trigger written_by_ledger_only before insert or update or delete or truncate on loyalty_%s
             for each statement execute function ledger.refuse_by_hand()', v_table);
    end loop;
    foreach v_table in array array['posting', 'entry', 'request', 'paid_sum_entry', 'tier_change'] loop
        execute format(
            'create trigger only_added_to before update or delete or truncate on loyalty_%s
             for each statement execute function ledger.refuse_change()', v_table);
    end loop;
end $$;

create trigger sums_to_zero after insert on loyalty_entry referencing new table as added
    for each statement execute function ledger.refuse_unbalanced();

-- The role exists once per server, whichever database was migrated first, or at the same time.
do $$
begin
    if not exists (select from pg_roles where rolname = 'ballada_ledger') then
        create role ballada_ledger nologin;
    end if;
exception when duplicate_object or unique_violation then
    null;
end $$;
do $$
begin
    if not pg_has_role(current_user, 'ballada_ledger', 'set') then
        grant ballada_ledger to current_user;
    end if;
exception when invalid_parameter_value then  -- before PostgreSQL 16 there is no such privilege
    if not pg_has_role(current_user, 'ballada_ledger', 'member') then
        grant ballada_ledger to current_user;
    end if;
end $$;

grant usage, create on schema public, ledger to ballada_ledger;
grant select on accounts_member to ballada_ledger;
grant select, insert, update on loyalty_points_account, loyalty_lot, loyalty_credit, loyalty_hold, loyalty_spending
    to ballada_ledger;
grant select, insert on loyalty_posting, loyalty_entry, loyalty_request to ballada_ledger;
grant usage on sequence loyalty_posting_id_seq, loyalty_lot_id_seq to ballada_ledger;

do $$
declare
    v_function regprocedure;
begin
    for v_function in
        select oid::regprocedure from pg_proc where pronamespace = 'ledger'::regnamespace
    loop
        execute format('alter function %s owner to ballada_ledger', v_function);
        execute format('revoke all on function %s from public', v_function);
    end loop;
end $$;
revoke create on schema public, ledger from ballada_ledger;
-- Who may call the operations is said by `manage.py grant_rights`: nobody else can, not even to read.
