-- The ledger's kernel, part 1: how a posting is made.
--
-- Deciding is Python's; this schema only moves points, and it is the only writer of the ledger's
-- tables. Every operation has the same five steps, each a function below:
--
--   1. begin    lock the accounts, then look the key up: a request that came before is answered
--               as it was then
--   2. settle   post what has become due since anybody last touched the account (part 2)
--   3. refuse   if it cannot be done, keep the refusal under the key and post nothing
--   4. post     write the posting, its entries, the accounts and the lots, from a list of lines
--   5. done     keep the posting under the key
--
-- A line is one account's part: (account, bucket, lot, points). Lines of a posting sum to zero.
-- Buckets of a member's account: available, pending, held, debt. The programme's own accounts are
-- -1 issued, -2 spent, -3 expired, -4 adjusted; they are never locked.

drop schema if exists ledger cascade;
create schema ledger;

create type ledger.line as (account_id bigint, bucket text, lot_id bigint, points bigint);
create type ledger.outcome as (posting_id bigint, refusal text, limit_points bigint, is_replay boolean);


-- Lock the members' accounts in ascending order, opening those that do not exist yet.
-- The lock is taken before anything is read, also for a request that turns out to be a repeat:
-- on a primary with a standby, a repeat that wrote nothing would not wait for the standby.
create function ledger.lock(variadic p_account_ids bigint[]) returns void language plpgsql as $$
declare
    v_wanted bigint := (select count(distinct id) from unnest(p_account_ids) as id);
    v_locked bigint;
begin
    if (select count(*) from loyalty_points_account where id = any(p_account_ids)) < v_wanted then
        insert into loyalty_points_account (id)
        select id from accounts_member where id = any(p_account_ids) order by id
        on conflict do nothing;
    end if;
    perform from loyalty_points_account
     where id = any(p_account_ids) and id > 0 order by id for no key update;
    get diagnostics v_locked = row_count;
    if v_locked < v_wanted then
        raise exception 'There is no member with one of the ids %.', p_account_ids using errcode = 'BA404';
    end if;
end $$;


-- Step 1. What comes back has is_replay true, and the answer of then, when the key is known.
create function ledger.begin(p_key uuid, p_request text, variadic p_account_ids bigint[])
returns ledger.outcome language plpgsql as $$
declare
    v_known loyalty_request;
begin
    perform ledger.lock(variadic p_account_ids);
    select * into v_known from loyalty_request where key = p_key;
    if not found then
        return (null, null, null, false)::ledger.outcome;
    end if;
    if v_known.request <> p_request then
        raise exception 'The key % was used for “%”, not for “%”.', p_key, v_known.request, p_request
            using errcode = 'BA422';
    end if;
    return (v_known.posting_id, nullif(v_known.refusal, ''), v_known.limit_points, true)::ledger.outcome;
end $$;


-- Keep an answer under its key. Twins of a request wait for each other's accounts, so whoever took
-- the key since step 1 locked other accounts and asked for something else.
create function ledger.keep(p_key uuid, p_request text, p_outcome ledger.outcome)
returns ledger.outcome language plpgsql as $$
begin
    insert into loyalty_request (key, request, posting_id, refusal, limit_points, recorded_at)
    values (p_key, p_request, p_outcome.posting_id, coalesce(p_outcome.refusal, ''), p_outcome.limit_points,
            clock_timestamp())
    on conflict do nothing;
    if not found then
        raise exception 'The key % was used just now, and not for “%”.', p_key, p_request using errcode = 'BA422';
    end if;
    return p_outcome;
end $$;


-- Step 3. `p_limit_points` is how many there could have been.
create function ledger.refuse(p_key uuid, p_request text, p_refusal text, p_limit_points bigint default null)
returns ledger.outcome language sql as $$
    select ledger.keep(p_key, p_request, (null, p_refusal, p_limit_points, false)::ledger.outcome)
$$;


-- Step 5.
create function ledger.done(p_key uuid, p_request text, p_posting_id bigint)
returns ledger.outcome language sql as $$
    select ledger.keep(p_key, p_request, (p_posting_id, null, null, false)::ledger.outcome)
$$;


-- Step 4. The one place that writes postings, entries, accounts and lots.
-- `p_note` may carry purpose, order_id, rule_set_id, actor_id and explanation.
-- Plans are kept: the planner would make new ones for every array of lines, which takes longer than
-- all the rest of an operation.
create function ledger.post(
    p_kind text, p_lines ledger.line[], p_at timestamptz, p_origin_id bigint default null, p_note jsonb default '{}'
) returns bigint language plpgsql set plan_cache_mode = force_generic_plan as $$
declare
    v_posting_id bigint := nextval('loyalty_posting_id_seq');
    -- The clock is read after the lock and never runs backwards along an account's versions.
    v_recorded_at timestamptz := (
        select greatest(clock_timestamp(), max(a.last_recorded_at) + interval '1 microsecond')
          from loyalty_points_account a
         where a.id in (select account_id from unnest(p_lines))
    );
begin
    if coalesce(cardinality(p_lines), 0) = 0 then
        raise exception 'A posting moves points: this % moves none.', p_kind using errcode = '23514';
    end if;
    insert into loyalty_posting
        (id, kind, effective_at, recorded_at, origin_id, purpose, order_id, rule_set_id, actor_id, explanation)
    values
        (v_posting_id, p_kind, p_at, v_recorded_at, p_origin_id, coalesce(p_note->>'purpose', ''),
         (p_note->>'order_id')::bigint, (p_note->>'rule_set_id')::bigint, (p_note->>'actor_id')::bigint,
         coalesce(p_note->'explanation', '{}'));

    -- Each entry carries its account as it stands after it; the programme's own carry nothing.
    insert into loyalty_entry
        (posting_id, line, account_id, bucket, lot_id, points, version, available_after_points,
         pending_after_points, held_after_points, debt_after_points, recorded_at)
    select v_posting_id, l.line, l.account_id, l.bucket, l.lot_id, l.points,
           a.version + row_number() over so_far,
           a.available_points + coalesce(sum(l.points) filter (where l.bucket = 'available') over so_far, 0),
           a.pending_points + coalesce(sum(l.points) filter (where l.bucket = 'pending') over so_far, 0),
           a.held_points + coalesce(sum(l.points) filter (where l.bucket = 'held') over so_far, 0),
           a.debt_points - coalesce(sum(l.points) filter (where l.bucket = 'debt') over so_far, 0),
           v_recorded_at
      from unnest(p_lines) with ordinality as l (account_id, bucket, lot_id, points, line)
      left join loyalty_points_account a on a.id = l.account_id and a.id > 0
    window so_far as (partition by l.account_id order by l.line);

    update loyalty_points_account a
       set available_points = a.available_points + moved.available,
           pending_points = a.pending_points + moved.pending,
           held_points = a.held_points + moved.held,
           debt_points = a.debt_points - moved.debt,
           version = a.version + moved.lines,
           last_recorded_at = v_recorded_at
      from (select account_id, count(*) as lines,
                   coalesce(sum(points) filter (where bucket = 'available'), 0) as available,
                   coalesce(sum(points) filter (where bucket = 'pending'), 0) as pending,
                   coalesce(sum(points) filter (where bucket = 'held'), 0) as held,
                   coalesce(sum(points) filter (where bucket = 'debt'), 0) as debt
              from unnest(p_lines) where account_id > 0 group by account_id) as moved
     where a.id = moved.account_id;

    -- A lot's points are the available and the held ones together.
    update loyalty_lot lot
       set points = lot.points + moved.points, held_points = lot.held_points + moved.held
      from (select lot_id, sum(points) as points,
                   coalesce(sum(points) filter (where bucket = 'held'), 0) as held
              from unnest(p_lines) where lot_id is not null group by lot_id) as moved
     where lot.id = moved.lot_id;

    return v_posting_id;
end $$;


-- The lot of an account, a last day and a fund; made when there is none. Safe under the account's lock.
create function ledger.lot(p_account_id bigint, p_expires_on date, p_fund text) returns bigint language plpgsql as $$
declare
    v_lot_id bigint;
begin
    select id into v_lot_id from loyalty_lot
     where account_id = p_account_id and expires_on is not distinct from p_expires_on and fund = p_fund;
    if not found then
        insert into loyalty_lot (account_id, expires_on, fund)
        values (p_account_id, p_expires_on, p_fund) returning id into v_lot_id;
    end if;
    return v_lot_id;
end $$;


-- The free part of an account's lots, soonest-expiring first, until `p_points` are reached.
-- `p_first_lot_id` is drawn before all others.
create function ledger.draw(p_account_id bigint, p_points bigint, p_first_lot_id bigint default null)
returns table (lot_id bigint, expires_on date, fund text, points bigint) language sql stable as $$
    select id, expires_on, fund, least(free, p_points - before)
      from (select id, expires_on, fund, points - held_points as free,
                   sum(points - held_points) over in_order - (points - held_points) as before
              from loyalty_lot
             where account_id = p_account_id and is_open and points > held_points
            window in_order as (order by id is distinct from p_first_lot_id, expires_on nulls last, fund)
           ) as lots
     where before < p_points
     order by before
$$;


-- Lines by which points become available: a debt is settled first, the rest goes to the lot.
-- `p_debt_points` is the debt as it stands before these lines.
create function ledger.into_lot(p_account_id bigint, p_debt_points bigint, p_lot_id bigint, p_points bigint)
returns ledger.line[] language sql immutable as $$
    select coalesce(array_agg(line), '{}') from (
        values ((p_account_id, 'debt', null, least(p_debt_points, p_points))::ledger.line),
               ((p_account_id, 'available', p_lot_id, greatest(p_points - p_debt_points, 0))::ledger.line)
    ) as lines (line)
     where (line).points > 0
$$;
