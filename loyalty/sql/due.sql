-- The ledger's kernel, part 2: what becomes due with time.
--
-- Pending points mature, holds run out, lots expire. Jobs post these in the background, and every
-- operation posts them first for the account it touches, in the order of their moments: so it makes
-- no difference to anybody's points whether a job has run.


-- What is due next on an account. A lot's points are usable through the end of its last day.
create function ledger.next_due(p_account_id bigint, p_at timestamptz, p_zone text)
returns table (kind text, id bigint, expires_on date, due_at timestamptz) language sql stable as $$
    select kind, id, expires_on, due_at from (
        (select 1 as turn, 'mature' as kind, posting_id as id, null::date as expires_on, available_at as due_at
           from loyalty_credit
          where account_id = p_account_id and matured_at is null and available_at <= p_at
          order by available_at, posting_id limit 1)
        union all
        (select 2, 'release', posting_id, null, expires_at
           from loyalty_hold
          where account_id = p_account_id and is_open and expires_at <= p_at
          order by expires_at, posting_id limit 1)
        union all
        (select 3, 'expire', null, expires_on, (expires_on + 1)::timestamp at time zone p_zone
           from loyalty_lot
          where account_id = p_account_id and is_open and points > held_points
            and expires_on < (p_at at time zone p_zone)::date
          order by expires_on limit 1)
    ) as due
    order by due_at, turn limit 1
$$;


-- Post everything that is due on a locked account. Nothing is dated before `p_not_before`.
create function ledger.settle(
    p_account_id bigint, p_at timestamptz, p_zone text, p_not_before timestamptz default '-infinity'
) returns void language plpgsql as $$
declare
    v_due record;
begin
    loop
        select * into v_due from ledger.next_due(p_account_id, p_at, p_zone);
        exit when not found;
        v_due.due_at := greatest(v_due.due_at, p_not_before);
        case v_due.kind
            when 'mature' then perform ledger.post_mature(v_due.id, v_due.due_at, p_at);
            when 'release' then perform ledger.post_release(v_due.id, null, v_due.due_at, '{}');
            when 'expire' then perform ledger.post_expire(p_account_id, v_due.expires_on, v_due.due_at);
        end case;
        p_not_before := v_due.due_at;
    end loop;
end $$;


-- Whether nobody is to be told: so it is while the orders of years gone by are taken over.
create function ledger.tells_nobody() returns boolean language sql stable as $$
    select coalesce(current_setting('ballada.tells_nobody', true), '') = 'on'
$$;


-- A credit's pending points become available. Its member is told, if it is news at `p_now`.
create function ledger.post_mature(p_credit_id bigint, p_at timestamptz, p_now timestamptz)
returns bigint language plpgsql as $$
declare
    v_credit loyalty_credit;
    v_points bigint;
    v_debt bigint;
    v_posting_id bigint;
begin
    select * into v_credit from loyalty_credit where posting_id = p_credit_id;
    v_points := v_credit.points - v_credit.taken_back_points;
    select debt_points into v_debt from loyalty_points_account where id = v_credit.account_id;
    update loyalty_credit set matured_at = p_at where posting_id = p_credit_id;
    v_posting_id := ledger.post(
        'mature',
        array[(v_credit.account_id, 'pending', null, -v_points)::ledger.line] || ledger.into_lot(
            v_credit.account_id, v_debt,
            ledger.lot(v_credit.account_id, v_credit.expires_on, v_credit.fund), v_points
        ),
        p_at, p_credit_id
    );
    -- What only settles a debt does not become available.
    if v_points > v_debt and ledger.is_news(p_at, p_now) then
        perform ledger.tell_available(p_credit_id, v_credit.account_id, v_points - v_debt, v_debt,
                                      v_credit.expires_on, p_at);
    end if;
    return v_posting_id;
end $$;


-- Whether it is news at `p_now` that points became available at `p_at`: old news surprise more than they help.
create function ledger.is_news(p_at timestamptz, p_now timestamptz) returns boolean language sql stable as $$
    select p_at > p_now - interval '7 days' and not ledger.tells_nobody()
$$;


-- Tell a member that points became available: in their own transaction, so neither is without the other.
create function ledger.tell_available(
    p_credit_id bigint, p_account_id bigint, p_points bigint, p_debt_points bigint, p_expires_on date,
    p_at timestamptz
) returns void language plpgsql as $$
begin
    insert into accounts_message (member_id, kind, facts, happened_at, wants_letter)
    select member.id, 'points_available',
           jsonb_build_object(
               'points', p_points, 'debt_points', p_debt_points, 'expires_on', p_expires_on,
               'purpose', posting.purpose, 'order', case when posting.purpose = 'order' then coalesce(posting.explanation->>'order', '') else '' end),
           p_at, true
      from accounts_member member
      join loyalty_posting posting on posting.id = p_credit_id
     where member.id = p_account_id and not member.is_sandbox;
end $$;


-- What a hold still holds, lot by lot, soonest-expiring first.
create function ledger.hold_parts(p_hold_id bigint)
returns table (lot_id bigint, expires_on date, fund text, points bigint) language sql stable as $$
    select lot.id, lot.expires_on, lot.fund, sum(entry.points)::bigint
      from loyalty_entry entry
      join loyalty_lot lot on lot.id = entry.lot_id
     where entry.bucket = 'held'
       -- An array, since the planner reads the whole table for “this one or those in a subquery”.
       and entry.posting_id = any(array(
               select p_hold_id union all select id from loyalty_posting where origin_id = p_hold_id))
     group by lot.id
    having sum(entry.points) > 0
     order by lot.expires_on nulls last, lot.fund
$$;


-- Held points go back to the lots they came from, all of them or `p_points`.
-- What comes free settles a debt first, like any points that become available.
create function ledger.post_release(p_hold_id bigint, p_points bigint, p_at timestamptz, p_note jsonb)
returns bigint language plpgsql as $$
declare
    v_hold loyalty_hold;
    v_debt bigint;
    v_left bigint;
    v_part record;
    v_share bigint;
    v_lines ledger.line[] := '{}';
begin
    select * into v_hold from loyalty_hold where posting_id = p_hold_id;
    select debt_points into v_debt from loyalty_points_account where id = v_hold.account_id;
    v_left := coalesce(p_points, v_hold.points - v_hold.captured_points - v_hold.released_points);
    update loyalty_hold set released_points = released_points + v_left where posting_id = p_hold_id;
    for v_part in select * from ledger.hold_parts(p_hold_id) loop
        v_share := least(v_part.points, v_left);
        v_lines := v_lines || (v_hold.account_id, 'held', v_part.lot_id, -v_share)::ledger.line
                           || ledger.into_lot(v_hold.account_id, v_debt, v_part.lot_id, v_share);
        v_debt := greatest(v_debt - v_share, 0);
        v_left := v_left - v_share;
        exit when v_left = 0;
    end loop;
    return ledger.post('release', v_lines, p_at, p_hold_id, p_note);
end $$;


-- The free points of one last day are gone. Held points do not expire while they are held.
create function ledger.post_expire(p_account_id bigint, p_expires_on date, p_at timestamptz)
returns bigint language sql as $$
    select ledger.post(
        'expire',
        array_agg((p_account_id, 'available', id, held_points - points)::ledger.line order by fund)
            || (-3, 'available', null, sum(points - held_points)::bigint)::ledger.line,
        p_at
    )
      from loyalty_lot
     where account_id = p_account_id and expires_on = p_expires_on and points > held_points
$$;


-- Settle up to `p_limit` accounts on which something is due; returns how many there were.
-- Accounts that somebody else has locked are left to them: their operation settles first itself.
create function ledger.settle_due(p_at timestamptz, p_zone text, p_limit integer)
returns integer language plpgsql security definer set search_path = pg_catalog, public, pg_temp as $$
declare
    v_account_id bigint;
    v_settled integer := 0;
begin
    for v_account_id in
        select account.id
          from loyalty_points_account account
         where account.id in (
                   (select account_id from loyalty_credit
                     where matured_at is null and available_at <= p_at limit p_limit)
                   union
                   (select account_id from loyalty_hold where is_open and expires_at <= p_at limit p_limit)
                   union
                   (select account_id from loyalty_lot
                     where is_open and points > held_points
                       and expires_on < (p_at at time zone p_zone)::date limit p_limit)
               )
         order by account.id limit p_limit for no key update skip locked
    loop
        perform ledger.settle(v_account_id, p_at, p_zone);
        v_settled := v_settled + 1;
    end loop;
    return v_settled;
end $$;
