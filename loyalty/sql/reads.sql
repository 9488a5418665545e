-- The ledger's kernel, part 5: balances as they are at a moment, whether or not a job has run.
--
-- These read what `ledger.settle` would post: tests compare the two after every step.


-- What can be spent at a moment, by account, last day and fund.
create function ledger.spendable(p_account_ids bigint[], p_at timestamptz, p_zone text)
returns table (account_id bigint, expires_on date, fund text, points bigint) language sql stable as $$
    with due as (
        select account_id, expires_on, fund, points - taken_back_points as points,
               available_at as due_at, 1 as turn, posting_id
          from loyalty_credit
         where account_id = any(p_account_ids) and matured_at is null and available_at <= p_at
        union all
        select hold.account_id, part.expires_on, part.fund, part.points, hold.expires_at, 2, hold.posting_id
          from loyalty_hold hold cross join lateral ledger.hold_parts(hold.posting_id) as part
         where hold.account_id = any(p_account_ids) and hold.is_open and hold.expires_at <= p_at
    ), in_order as (
        select due.*, sum(points) over (
                   partition by account_id
                   order by due_at, turn, posting_id, expires_on nulls last, fund) as reached
          from due
    )
    select account_id, expires_on, fund, sum(points)::bigint from (
        select account_id, expires_on, fund, points - held_points as points
          from loyalty_lot where account_id = any(p_account_ids) and is_open
        union all
        -- A debt is settled by the first points that become due.
        select due.account_id, due.expires_on, due.fund,
               least(due.points, greatest(due.reached - account.debt_points, 0))
          from in_order due join loyalty_points_account account on account.id = due.account_id
    ) as parts
     where expires_on is null or expires_on >= (p_at at time zone p_zone)::date
     group by account_id, expires_on, fund
    having sum(points) > 0
$$;


-- Balances at a moment, one row per account that exists.
create function ledger.balances(p_account_ids bigint[], p_at timestamptz, p_zone text)
returns table (account_id bigint, available_points bigint, pending_points bigint, held_points bigint,
               debt_points bigint, is_blocked boolean) language sql stable as $$
    select account.id,
           coalesce((select sum(points) from ledger.spendable(array[account.id], p_at, p_zone)), 0)::bigint,
           account.pending_points - matured.points,
           account.held_points - released.points,
           greatest(account.debt_points - matured.points - released.points, 0),
           account.is_blocked
      from loyalty_points_account account
     cross join lateral (
           select coalesce(sum(points - taken_back_points), 0)::bigint as points from loyalty_credit
            where account_id = account.id and matured_at is null and available_at <= p_at) as matured
     cross join lateral (
           select coalesce(sum(points - captured_points - released_points), 0)::bigint as points
             from loyalty_hold
            where account_id = account.id and is_open and expires_at <= p_at) as released
     where account.id = any(p_account_ids)
$$;
