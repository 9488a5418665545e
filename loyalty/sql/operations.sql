-- The ledger's kernel, part 3: the operations, one function each. All of them return an outcome:
-- the posting, or why there is none (`refusal`) and how many points there could have been.


-- Why an account cannot give that many points, or null. The account has been settled.
create function ledger.refusal_to_give(p_account_id bigint, p_points bigint)
returns table (refusal text, limit_points bigint) language sql stable as $$
    select case when is_blocked then 'account_blocked' else 'not_enough_points' end,
           case when is_blocked then null else available_points end
      from loyalty_points_account
     where id = p_account_id and (is_blocked or available_points < p_points)
$$;


-- Credit points: issued by the programme, available at once or pending until `p_available_at`.
create function ledger.credit(
    p_key uuid, p_account_id bigint, p_points bigint, p_at timestamptz, p_available_at timestamptz,
    p_expires_on date, p_fund text, p_zone text, p_note jsonb default '{}'
) returns ledger.outcome language plpgsql security definer set search_path = pg_catalog, public, pg_temp as $$
declare
    v_request text := format('credit %s points to account %s', p_points, p_account_id);
    v_outcome ledger.outcome := ledger.begin(p_key, v_request, p_account_id);
    v_is_due boolean := p_available_at <= p_at;
    v_lines ledger.line[] := array[(-1, 'available', null, -p_points)::ledger.line];
    v_posting_id bigint;
begin
    if v_outcome.is_replay then
        return v_outcome;
    end if;
    perform ledger.settle(p_account_id, p_at, p_zone);
    if v_is_due then
        v_lines := v_lines || ledger.into_lot(
            p_account_id, (select debt_points from loyalty_points_account where id = p_account_id),
            ledger.lot(p_account_id, p_expires_on, p_fund), p_points
        );
    else
        v_lines := v_lines || (p_account_id, 'pending', null, p_points)::ledger.line;
    end if;
    v_posting_id := ledger.post('credit', v_lines, p_at, null, p_note);
    insert into loyalty_credit (posting_id, account_id, points, fund, available_at, expires_on, matured_at)
    values (v_posting_id, p_account_id, p_points, p_fund, p_available_at, p_expires_on,
            case when v_is_due then p_at end);
    return ledger.done(p_key, v_request, v_posting_id);
end $$;


-- Pay with points, at once.
create function ledger.spend(
    p_key uuid, p_account_id bigint, p_points bigint, p_at timestamptz, p_zone text, p_note jsonb default '{}'
) returns ledger.outcome language plpgsql security definer set search_path = pg_catalog, public, pg_temp as $$
declare
    v_request text := format('spend %s points of account %s', p_points, p_account_id);
    v_outcome ledger.outcome := ledger.begin(p_key, v_request, p_account_id);
    v_refused record;
    v_posting_id bigint;
begin
    if v_outcome.is_replay then
        return v_outcome;
    end if;
    perform ledger.settle(p_account_id, p_at, p_zone);
    select * into v_refused from ledger.refusal_to_give(p_account_id, p_points);
    if found then
        return ledger.refuse(p_key, v_request, v_refused.refusal, v_refused.limit_points);
    end if;
    v_posting_id := ledger.post(
        'spend',
        (select array_agg((p_account_id, 'available', lot_id, -points)::ledger.line)
           from ledger.draw(p_account_id, p_points)) || (-2, 'available', null, p_points)::ledger.line,
        p_at, null, p_note
    );
    insert into loyalty_spending (posting_id, account_id, points) values (v_posting_id, p_account_id, p_points);
    return ledger.done(p_key, v_request, v_posting_id);
end $$;


-- Set points aside, until `p_expires_at` at the longest.
create function ledger.hold(
    p_key uuid, p_account_id bigint, p_points bigint, p_at timestamptz, p_expires_at timestamptz, p_zone text,
    p_note jsonb default '{}'
) returns ledger.outcome language plpgsql security definer set search_path = pg_catalog, public, pg_temp as $$
declare
    v_request text := format('hold %s points of account %s', p_points, p_account_id);
    v_outcome ledger.outcome := ledger.begin(p_key, v_request, p_account_id);
    v_refused record;
    v_posting_id bigint;
begin
    if v_outcome.is_replay then
        return v_outcome;
    end if;
    perform ledger.settle(p_account_id, p_at, p_zone);
    select * into v_refused from ledger.refusal_to_give(p_account_id, p_points);
    if found then
        return ledger.refuse(p_key, v_request, v_refused.refusal, v_refused.limit_points);
    end if;
    v_posting_id := ledger.post(
        'hold',
        (select array_agg(line) from ledger.draw(p_account_id, p_points) as part
          cross join lateral (values
              ((p_account_id, 'available', part.lot_id, -part.points)::ledger.line),
              ((p_account_id, 'held', part.lot_id, part.points)::ledger.line)) as lines (line)),
        p_at, null, p_note
    );
    insert into loyalty_hold (posting_id, account_id, points, expires_at)
    values (v_posting_id, p_account_id, p_points, p_expires_at);
    return ledger.done(p_key, v_request, v_posting_id);
end $$;


-- What a hold may still be asked for, or the refusal. Used by capture and release.
create function ledger.refusal_of_hold(p_hold_id bigint, p_points bigint)
returns table (refusal text, limit_points bigint) language sql stable as $$
    select 'above_hold', points - captured_points - released_points
      from loyalty_hold
     where posting_id = p_hold_id and points - captured_points - released_points < p_points
$$;


-- The account behind a hold, a credit or a spending.
create function ledger.account_of(p_table regclass, p_posting_id bigint) returns bigint language plpgsql stable as $$
declare
    v_account_id bigint;
begin
    execute format('select account_id from %s where posting_id = $1', p_table)
       into v_account_id using p_posting_id;
    if v_account_id is null then
        raise exception 'The posting % is not in %.', p_posting_id, p_table using errcode = 'BA404';
    end if;
    return v_account_id;
end $$;


-- Pay with held points: the order was paid. A hold may be captured in parts.
create function ledger.capture(
    p_key uuid, p_hold_id bigint, p_points bigint, p_at timestamptz, p_zone text, p_note jsonb default '{}'
) returns ledger.outcome language plpgsql security definer set search_path = pg_catalog, public, pg_temp as $$
declare
    v_account_id bigint := ledger.account_of('loyalty_hold', p_hold_id);
    v_request text := format('capture %s points of hold %s', p_points, p_hold_id);
    v_outcome ledger.outcome := ledger.begin(p_key, v_request, v_account_id);
    v_refused record;
    v_part record;
    v_left bigint := p_points;
    v_lines ledger.line[] := '{}';
    v_posting_id bigint;
begin
    if v_outcome.is_replay then
        return v_outcome;
    end if;
    perform ledger.settle(v_account_id, p_at, p_zone);
    select * into v_refused from ledger.refusal_of_hold(p_hold_id, p_points);
    if found then
        return ledger.refuse(p_key, v_request, v_refused.refusal, v_refused.limit_points);
    end if;
    for v_part in select * from ledger.hold_parts(p_hold_id) loop
        v_lines := v_lines
            || (v_account_id, 'held', v_part.lot_id, -least(v_part.points, v_left))::ledger.line;
        v_left := v_left - least(v_part.points, v_left);
        exit when v_left = 0;
    end loop;
    update loyalty_hold set captured_points = captured_points + p_points where posting_id = p_hold_id;
    v_posting_id := ledger.post(
        'capture', v_lines || (-2, 'available', null, p_points)::ledger.line, p_at, p_hold_id, p_note
    );
    insert into loyalty_spending (posting_id, account_id, points) values (v_posting_id, v_account_id, p_points);
    return ledger.done(p_key, v_request, v_posting_id);
end $$;


-- Set held points free again: the order was cancelled. Those whose day is over expire at once.
create function ledger.release(
    p_key uuid, p_hold_id bigint, p_points bigint, p_at timestamptz, p_zone text, p_note jsonb default '{}'
) returns ledger.outcome language plpgsql security definer set search_path = pg_catalog, public, pg_temp as $$
declare
    v_account_id bigint := ledger.account_of('loyalty_hold', p_hold_id);
    v_request text := format('release %s points of hold %s', p_points, p_hold_id);
    v_outcome ledger.outcome := ledger.begin(p_key, v_request, v_account_id);
    v_refused record;
    v_posting_id bigint;
begin
    if v_outcome.is_replay then
        return v_outcome;
    end if;
    perform ledger.settle(v_account_id, p_at, p_zone);
    select * into v_refused from ledger.refusal_of_hold(p_hold_id, p_points);
    if found then
        return ledger.refuse(p_key, v_request, v_refused.refusal, v_refused.limit_points);
    end if;
    v_posting_id := ledger.post_release(p_hold_id, p_points, p_at, p_note);
    perform ledger.settle(v_account_id, p_at, p_zone, p_at);
    return ledger.done(p_key, v_request, v_posting_id);
end $$;


-- Give spent points back (the goods were returned) to the lots they came from, latest-expiring
-- first. They keep their last day, but live until `p_least_expires_on` at least.
create function ledger.give_back(
    p_key uuid, p_spending_id bigint, p_points bigint, p_at timestamptz, p_least_expires_on date, p_zone text,
    p_note jsonb default '{}'
) returns ledger.outcome language plpgsql security definer set search_path = pg_catalog, public, pg_temp as $$
declare
    v_account_id bigint := ledger.account_of('loyalty_spending', p_spending_id);
    v_request text := format('give back %s points of spending %s', p_points, p_spending_id);
    v_outcome ledger.outcome := ledger.begin(p_key, v_request, v_account_id);
    v_spending loyalty_spending;
    v_debt bigint;
    v_part record;
    v_lines ledger.line[] := array[(-2, 'available', null, -p_points)::ledger.line];
    v_posting_id bigint;
begin
    if v_outcome.is_replay then
        return v_outcome;
    end if;
    perform ledger.settle(v_account_id, p_at, p_zone);
    select * into v_spending from loyalty_spending where posting_id = p_spending_id;
    if v_spending.points - v_spending.given_back_points < p_points then
        return ledger.refuse(
            p_key, v_request, 'above_spending', v_spending.points - v_spending.given_back_points
        );
    end if;
    select debt_points into v_debt from loyalty_points_account where id = v_account_id;
    -- What was given back before took the first parts of this same order: it goes on from there.
    for v_part in
        select expires_on, fund, (least(reached, v_spending.given_back_points + p_points)
               - greatest(reached - points, v_spending.given_back_points))::bigint as points
          from (select lot.expires_on, lot.fund, -entry.points as points,
                       sum(-entry.points) over (order by lot.expires_on desc nulls first, lot.fund) as reached
                  from loyalty_entry entry
                  join loyalty_lot lot on lot.id = entry.lot_id
                 where entry.posting_id = p_spending_id) as parts
         where reached > v_spending.given_back_points
           and reached - points < v_spending.given_back_points + p_points
         order by reached
    loop
        v_lines := v_lines || ledger.into_lot(
            v_account_id, v_debt,
            ledger.lot(v_account_id, greatest(v_part.expires_on, case
                when v_part.expires_on is not null then p_least_expires_on end), v_part.fund),
            v_part.points
        );
        v_debt := greatest(v_debt - v_part.points, 0);
    end loop;
    update loyalty_spending set given_back_points = given_back_points + p_points
     where posting_id = p_spending_id;
    v_posting_id := ledger.post('give_back', v_lines, p_at, p_spending_id, p_note);
    return ledger.done(p_key, v_request, v_posting_id);
end $$;


-- Take credited points back (the order was returned): the pending ones, or else from their own lot,
-- then soonest-expiring first. What is spent already becomes a debt.
create function ledger.take_back(
    p_key uuid, p_credit_id bigint, p_points bigint, p_at timestamptz, p_zone text, p_note jsonb default '{}'
) returns ledger.outcome language plpgsql security definer set search_path = pg_catalog, public, pg_temp as $$
declare
    v_account_id bigint := ledger.account_of('loyalty_credit', p_credit_id);
    v_request text := format('take back %s points of credit %s', p_points, p_credit_id);
    v_outcome ledger.outcome := ledger.begin(p_key, v_request, v_account_id);
    v_credit loyalty_credit;
    v_lines ledger.line[];
    v_posting_id bigint;
begin
    if v_outcome.is_replay then
        return v_outcome;
    end if;
    perform ledger.settle(v_account_id, p_at, p_zone);
    select * into v_credit from loyalty_credit where posting_id = p_credit_id;
    if v_credit.points - v_credit.taken_back_points < p_points then
        return ledger.refuse(
            p_key, v_request, 'above_credit', v_credit.points - v_credit.taken_back_points
        );
    end if;
    if v_credit.matured_at is null then
        v_lines := array[(v_account_id, 'pending', null, -p_points)::ledger.line];
    else
        v_lines := ledger.out_of_lots(
            v_account_id, p_points, ledger.lot(v_account_id, v_credit.expires_on, v_credit.fund)
        );
    end if;
    update loyalty_credit
       set taken_back_points = taken_back_points + p_points,
           matured_at = case when taken_back_points + p_points = points then coalesce(matured_at, p_at)
                             else matured_at end
     where posting_id = p_credit_id;
    v_posting_id := ledger.post(
        'take_back', v_lines || (-1, 'available', null, p_points)::ledger.line, p_at, p_credit_id, p_note
    );
    return ledger.done(p_key, v_request, v_posting_id);
end $$;


-- Lines by which points leave although there may be too few: the rest becomes a debt.
create function ledger.out_of_lots(p_account_id bigint, p_points bigint, p_first_lot_id bigint default null)
returns ledger.line[] language sql stable as $$
    with drawn as (select * from ledger.draw(p_account_id, p_points, p_first_lot_id))
    select array_agg(line) from (
        select (p_account_id, 'available', lot_id, -points)::ledger.line as line from drawn
        union all
        select (p_account_id, 'debt', null, (select coalesce(sum(points), 0) from drawn)::bigint - p_points)::ledger.line
    ) as lines
     where (line).points <> 0
$$;


-- Say anew when the pending points of a credit become available: `p_available_at`, or at once when
-- that is over. Nothing is posted but what becomes due by it; the outcome is the credit itself.
create function ledger.schedule(
    p_key uuid, p_credit_id bigint, p_available_at timestamptz, p_at timestamptz, p_zone text
) returns ledger.outcome language plpgsql security definer set search_path = pg_catalog, public, pg_temp as $$
declare
    v_account_id bigint := ledger.account_of('loyalty_credit', p_credit_id);
    v_request text := format('schedule credit %s for %s', p_credit_id, extract(epoch from p_available_at));
    v_outcome ledger.outcome := ledger.begin(p_key, v_request, v_account_id);
begin
    if v_outcome.is_replay then
        return v_outcome;
    end if;
    perform ledger.settle(v_account_id, p_at, p_zone);
    update loyalty_credit set available_at = greatest(p_available_at, p_at)
     where posting_id = p_credit_id and matured_at is null;
    if not found then
        return ledger.refuse(p_key, v_request, 'not_pending');
    end if;
    perform ledger.settle(v_account_id, p_at, p_zone);
    return ledger.done(p_key, v_request, p_credit_id);
end $$;


-- Move points from one member to another, lot by lot: they keep their last day and their fund.
create function ledger.transfer(
    p_key uuid, p_from_account_id bigint, p_to_account_id bigint, p_points bigint, p_at timestamptz, p_zone text,
    p_note jsonb default '{}'
) returns ledger.outcome language plpgsql security definer set search_path = pg_catalog, public, pg_temp as $$
declare
    v_request text := format(
        'transfer %s points from account %s to account %s', p_points, p_from_account_id, p_to_account_id
    );
    v_outcome ledger.outcome := ledger.begin(p_key, v_request, p_from_account_id, p_to_account_id);
    v_refused record;
    v_debt bigint;
    v_part record;
    v_lines ledger.line[] := '{}';
    v_posting_id bigint;
begin
    if v_outcome.is_replay then
        return v_outcome;
    end if;
    perform ledger.settle(p_from_account_id, p_at, p_zone);
    perform ledger.settle(p_to_account_id, p_at, p_zone);
    select * into v_refused from ledger.refusal_to_give(p_from_account_id, p_points);
    if found then
        return ledger.refuse(p_key, v_request, v_refused.refusal, v_refused.limit_points);
    end if;
    select debt_points into v_debt from loyalty_points_account where id = p_to_account_id;
    for v_part in select * from ledger.draw(p_from_account_id, p_points) loop
        v_lines := v_lines
            || (p_from_account_id, 'available', v_part.lot_id, -v_part.points)::ledger.line
            || ledger.into_lot(
                   p_to_account_id, v_debt, ledger.lot(p_to_account_id, v_part.expires_on, v_part.fund),
                   v_part.points
               );
        v_debt := greatest(v_debt - v_part.points, 0);
    end loop;
    v_posting_id := ledger.post('transfer', v_lines, p_at, null, p_note);
    return ledger.done(p_key, v_request, v_posting_id);
end $$;


-- Correct a balance by hand, up or down. Downwards it stops at what is available, unless
-- `p_may_owe` lets the rest become a debt.
create function ledger.adjust(
    p_key uuid, p_account_id bigint, p_points bigint, p_at timestamptz, p_expires_on date, p_fund text,
    p_may_owe boolean, p_zone text, p_note jsonb default '{}'
) returns ledger.outcome language plpgsql security definer set search_path = pg_catalog, public, pg_temp as $$
declare
    v_request text := format('adjust account %s by %s points', p_account_id, p_points);
    v_outcome ledger.outcome := ledger.begin(p_key, v_request, p_account_id);
    v_account loyalty_points_account;
    v_lines ledger.line[];
    v_posting_id bigint;
begin
    if v_outcome.is_replay then
        return v_outcome;
    end if;
    perform ledger.settle(p_account_id, p_at, p_zone);
    select * into v_account from loyalty_points_account where id = p_account_id;
    if p_points < 0 and not p_may_owe and v_account.available_points < -p_points then
        return ledger.refuse(p_key, v_request, 'not_enough_points', v_account.available_points);
    end if;
    if p_points < 0 then
        v_lines := ledger.out_of_lots(p_account_id, -p_points);
    else
        v_lines := ledger.into_lot(
            p_account_id, v_account.debt_points, ledger.lot(p_account_id, p_expires_on, p_fund), p_points
        );
    end if;
    v_posting_id := ledger.post(
        'adjust', v_lines || (-4, 'available', null, -p_points)::ledger.line, p_at, null, p_note
    );
    return ledger.done(p_key, v_request, v_posting_id);
end $$;


-- Undo a transfer or an adjustment: the points go back, lot by lot, while whoever received them
-- still has exactly them. Whatever settled a debt, or became one, cannot be undone this way.
create function ledger.reverse(
    p_key uuid, p_posting_id bigint, p_at timestamptz, p_least_expires_on date, p_zone text,
    p_note jsonb default '{}'
) returns ledger.outcome language plpgsql security definer set search_path = pg_catalog, public, pg_temp as $$
declare
    v_request text := format('reverse posting %s', p_posting_id);
    v_account_ids bigint[] := (
        select array_agg(distinct account_id) from loyalty_entry
         where posting_id = p_posting_id and account_id > 0
    );
    v_outcome ledger.outcome;
    v_original loyalty_posting;
    v_entry record;
    v_lot_id bigint;
    v_debt bigint;
    v_moved_on bigint;
    v_lines ledger.line[] := '{}';
    v_posting_id bigint;
begin
    select * into v_original from loyalty_posting where id = p_posting_id;
    if not found then
        raise exception 'There is no posting %.', p_posting_id using errcode = 'BA404';
    end if;
    v_outcome := ledger.begin(p_key, v_request, variadic v_account_ids);
    if v_outcome.is_replay then
        return v_outcome;
    end if;
    if v_original.kind not in ('transfer', 'adjust')
       or exists (select from loyalty_entry where posting_id = p_posting_id and bucket = 'debt') then
        return ledger.refuse(p_key, v_request, 'not_reversible');
    end if;
    if exists (select from loyalty_posting where origin_id = p_posting_id and kind = 'reverse') then
        return ledger.refuse(p_key, v_request, 'already_reversed');
    end if;
    perform ledger.settle(account_id, p_at, p_zone) from unnest(v_account_ids) as account_id order by account_id;
    select sum(entry.points - (lot.points - lot.held_points)) into v_moved_on
      from loyalty_entry entry
      join loyalty_lot lot on lot.id = entry.lot_id
     where entry.posting_id = p_posting_id and entry.points > 0
       and entry.points > lot.points - lot.held_points;
    if v_moved_on > 0 then
        return ledger.refuse(p_key, v_request, 'points_moved_on', v_moved_on);
    end if;
    for v_entry in
        select entry.account_id, entry.lot_id, entry.points, lot.expires_on, lot.fund
          from loyalty_entry entry
          left join loyalty_lot lot on lot.id = entry.lot_id
         where entry.posting_id = p_posting_id
         order by entry.line
    loop
        if v_entry.account_id < 0 or v_entry.points > 0 then
            v_lines := v_lines || (v_entry.account_id, 'available', v_entry.lot_id, -v_entry.points)::ledger.line;
        else
            v_lot_id := v_entry.lot_id;
            if v_entry.expires_on < (p_at at time zone p_zone)::date then
                v_lot_id := ledger.lot(v_entry.account_id, p_least_expires_on, v_entry.fund);
            end if;
            select debt_points - coalesce((select sum((line).points) from unnest(v_lines) as line
                                            where (line).bucket = 'debt'), 0)
              into v_debt from loyalty_points_account where id = v_entry.account_id;
            v_lines := v_lines || ledger.into_lot(v_entry.account_id, v_debt, v_lot_id, -v_entry.points);
        end if;
    end loop;
    v_posting_id := ledger.post('reverse', v_lines, p_at, p_posting_id, p_note);
    return ledger.done(p_key, v_request, v_posting_id);
end $$;


-- Stop a member from giving points away, or let them again. Earning and owning go on.
create function ledger.block(p_account_id bigint, p_is_blocked boolean)
returns void language plpgsql security definer set search_path = pg_catalog, public, pg_temp as $$
begin
    perform ledger.lock(p_account_id);
    update loyalty_points_account set is_blocked = p_is_blocked where id = p_account_id;
end $$;


-- Lock the accounts of a step that touches several members, before it reads anything.
create function ledger.lock_accounts(p_account_ids bigint[])
returns void language sql security definer set search_path = pg_catalog, public, pg_temp as $$
    select ledger.lock(variadic p_account_ids)
$$;
