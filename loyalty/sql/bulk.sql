-- The ledger's kernel, part 4: crediting many orders at once, for imports.
--
-- The same effect as calling ledger.credit once per row, in the order of the rows, and then settling
-- the accounts until `p_settle_until`, by a handful of statements over all of them. What becomes due
-- between two credits of an account, or after the last, is posted at its own moment and in its turn:
-- so a statement of imported years reads as if they had been lived through.
--
-- `p_rows` is an array of objects: key, account_id, points, at, available_at, expires_on and note.
--
-- Accounts on which something else is going on take the ordinary way, row by row: those in debt,
-- since each credit changes what the next one has to settle; those with points, holds or credits
-- that become due in between; and those whose rows are not in the order of time.

create function ledger.credit_many(
    p_rows jsonb, p_fund text, p_zone text, p_settle_until timestamptz default null
) returns integer language plpgsql security definer set search_path = pg_catalog, public, pg_temp as $$
declare
    v_mismatch record;
    v_row record;
    v_recorded_at timestamptz;
    v_credited integer;
    v_one_by_one integer := 0;
begin
    create temporary table if not exists credit_row (
        turn bigint, key uuid, request text, account_id bigint, points bigint, at timestamptz,
        available_at timestamptz, expires_on date, note jsonb, is_due boolean, posting_id bigint
    ) on commit drop;
    truncate credit_row;
    insert into credit_row
    select turn, key, format('credit %s points to account %s', points, account_id), account_id, points, at,
           available_at, expires_on, note, available_at <= at
      from rows from (jsonb_to_recordset(p_rows) as (
               key uuid, account_id bigint, points bigint, at timestamptz, available_at timestamptz,
               expires_on date, note jsonb)) with ordinality
           as given (key, account_id, points, at, available_at, expires_on, note, turn);
    analyze credit_row;
    perform ledger.lock(variadic (select array_agg(distinct account_id) from credit_row));

    select known.key, known.request into v_mismatch
      from credit_row join loyalty_request known using (key)
     where known.request <> credit_row.request
    union all
    select key, known.request
      from credit_row join credit_row known using (key)
     where known.request <> credit_row.request
     limit 1;
    if found then
        raise exception 'The key % was used for “%”.', v_mismatch.key, v_mismatch.request using errcode = 'BA422';
    end if;
    delete from credit_row using loyalty_request known where known.key = credit_row.key;
    delete from credit_row using credit_row first where first.key = credit_row.key and first.turn < credit_row.turn;

    create temporary table if not exists credit_account (
        account_id bigint, until timestamptz, is_simple boolean
    ) on commit drop;
    truncate credit_account;
    insert into credit_account
    select row.account_id, row.until,
           row.is_in_order and account.debt_points = 0
           and not exists (select from ledger.next_due(row.account_id, row.until, p_zone))
      from (select account_id, greatest(max(at), p_settle_until) as until,
                   bool_and(is_after_previous
                            and coalesce(expires_on >= (greatest(at, available_at) at time zone p_zone)::date, true)
                   ) as is_in_order
              from (select credit_row.*,
                           coalesce(at >= lag(at) over (partition by account_id order by turn), true)
                               as is_after_previous
                      from credit_row) as rows
             group by account_id) as row
      join loyalty_points_account account on account.id = row.account_id;
    analyze credit_account;

    for v_row in
        select credit_row.* from credit_row join credit_account using (account_id)
         where not is_simple order by turn
    loop
        perform ledger.credit(v_row.key, v_row.account_id, v_row.points, v_row.at, v_row.available_at,
                              v_row.expires_on, p_fund, p_zone, v_row.note);
        v_one_by_one := v_one_by_one + 1;
    end loop;
    if p_settle_until is not null then
        perform ledger.settle(account_id, p_settle_until, p_zone) from credit_account where not is_simple;
    end if;
    delete from credit_row using credit_account
     where credit_account.account_id = credit_row.account_id and not is_simple;

    -- From here on all accounts are simple: what moves on them are these rows and what they lead to.
    select greatest(clock_timestamp(), max(account.last_recorded_at) + interval '1 microsecond') into v_recorded_at
      from loyalty_points_account account join credit_account on account_id = account.id;

    -- One row per posting. `precedence` is that of ledger.settle, which comes before the credit.
    create temporary table if not exists credit_posting (
        posting_id bigint, kind text, account_id bigint, at timestamptz, precedence integer, turn bigint,
        points bigint, lot_id bigint, expires_on date, is_due boolean
    ) on commit drop;
    truncate credit_posting;
    insert into credit_posting
    select nextval('loyalty_posting_id_seq'), moves.* from (
        select 'credit', account_id, at, 9 as precedence, turn, points, null::bigint, expires_on, is_due
          from credit_row
        union all
        select 'mature', account_id, available_at, 1, turn, points, null, expires_on, true
          from credit_row join credit_account using (account_id)
         where not is_due and available_at <= until
        union all
        select 'expire', account_id, (expires_on + 1)::timestamp at time zone p_zone, 3, 0, sum(points), null,
               expires_on, true
          from credit_row join credit_account using (account_id)
         where expires_on < (until at time zone p_zone)::date
         group by account_id, expires_on
        order by 3, 4, 5
    ) as moves;
    analyze credit_posting;
    update credit_row set posting_id = made.posting_id
      from credit_posting made where made.turn = credit_row.turn and made.kind = 'credit';

    insert into loyalty_lot (account_id, expires_on, fund)
    select distinct account_id, expires_on, p_fund from credit_posting where is_due and kind <> 'expire'
    on conflict do nothing;
    update credit_posting set lot_id = lot.id
      from loyalty_lot lot
     where is_due and lot.account_id = credit_posting.account_id and lot.fund = p_fund
       and lot.expires_on is not distinct from credit_posting.expires_on;

    insert into loyalty_posting
        (id, kind, effective_at, recorded_at, origin_id, purpose, order_id, rule_set_id, actor_id, explanation)
    select made.posting_id, kind, made.at, v_recorded_at, case when kind = 'mature' then row.posting_id end,
           coalesce(said.note->>'purpose', ''), (said.note->>'order_id')::bigint,
           (said.note->>'rule_set_id')::bigint, (said.note->>'actor_id')::bigint,
           coalesce(said.note->'explanation', '{}')
      from credit_posting made
      left join credit_row row on row.turn = made.turn
     cross join lateral (select case when kind = 'credit' then row.note end as note) as said
     order by made.posting_id;

    with line as (
        select made.*, line.*
          from credit_posting made
         cross join lateral (values
               (1, 'credit', -1::bigint, 'available', null::bigint, -points),
               (2, 'credit', made.account_id, case when is_due then 'available' else 'pending' end, lot_id, points),
               (1, 'mature', made.account_id, 'pending', null, -points),
               (2, 'mature', made.account_id, 'available', lot_id, points),
               (1, 'expire', made.account_id, 'available', lot_id, -points),
               (2, 'expire', -3, 'available', null, points)
         ) as line (line, line_kind, line_account_id, bucket, line_lot_id, line_points)
         where line_kind = kind
    )
    insert into loyalty_entry
        (posting_id, line, account_id, bucket, lot_id, points, version, available_after_points,
         pending_after_points, held_after_points, debt_after_points, recorded_at)
    select posting_id, line, line_account_id, bucket, null, line_points, null, null, null, null, null, v_recorded_at
      from line where line_account_id < 0
    union all
    select posting_id, line, line_account_id, bucket, line_lot_id, line_points,
           account.version + row_number() over so_far,
           account.available_points
               + coalesce(sum(line_points) filter (where bucket = 'available') over so_far, 0),
           account.pending_points + coalesce(sum(line_points) filter (where bucket = 'pending') over so_far, 0),
           account.held_points, account.debt_points, v_recorded_at
      from line join loyalty_points_account account on account.id = line_account_id
     where line_account_id > 0
    window so_far as (partition by line_account_id order by posting_id, line);

    -- What matured is news to whoever settles the account next: the credit after it, or the end of all.
    if not ledger.tells_nobody() then
        perform ledger.tell_available(row.posting_id, made.account_id, made.points, 0, row.expires_on, made.at)
           from credit_posting made
           join credit_row row on row.turn = made.turn
          where made.kind = 'mature'
            and ledger.is_news(made.at, coalesce(
                    (select min(later.at) from credit_row later
                      where later.account_id = made.account_id and later.at >= made.at), p_settle_until))
          order by made.posting_id;
    end if;

    insert into loyalty_credit (posting_id, account_id, points, fund, available_at, expires_on, matured_at)
    select row.posting_id, row.account_id, row.points, p_fund, row.available_at, row.expires_on,
           case when row.is_due then row.at else matured.at end
      from credit_row row
      left join credit_posting matured on matured.turn = row.turn and matured.kind = 'mature';

    update loyalty_points_account account
       set available_points = account.available_points + moved.available,
           pending_points = account.pending_points + moved.pending,
           version = account.version + moved.lines,
           last_recorded_at = v_recorded_at
      from (select account_id, sum(case kind when 'mature' then 2 else 1 end) as lines,
                   coalesce(sum(case kind when 'expire' then -points else points end) filter (where is_due), 0)
                       as available,
                   coalesce(sum(points) filter (where not is_due), 0)
                       - coalesce(sum(points) filter (where kind = 'mature'), 0) as pending
              from credit_posting group by account_id) as moved
     where account.id = moved.account_id;

    update loyalty_lot lot set points = lot.points + moved.points
      from (select lot_id, sum(case kind when 'expire' then -points else points end) as points
              from credit_posting where is_due group by lot_id) as moved
     where lot.id = moved.lot_id and moved.points <> 0;

    insert into loyalty_request (key, request, posting_id, recorded_at)
    select key, request, posting_id, v_recorded_at from credit_row on conflict do nothing;
    get diagnostics v_credited = row_count;
    if v_credited < (select count(*) from credit_row) then
        raise exception 'One of the keys was used just now for something else.' using errcode = 'BA422';
    end if;
    return v_credited + v_one_by_one;
end $$;
