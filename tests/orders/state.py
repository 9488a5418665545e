"""Everything that orders leave behind, to compare two ways of sending them."""

from django.db import connection

# Everything but ids and the moments of recording.
STATE = {
    # An account on which nothing has moved is as good as none.
    "accounts": """
        select customer, available_points, pending_points, held_points, debt_points, version
          from loyalty_points_account account join person on person.id = account.id
         where version > 0""",
    "lots": """
        select customer, expires_on, fund, points, held_points
          from loyalty_lot lot join person on person.id = account_id""",
    "credits": """
        select customer, points, taken_back_points, fund, available_at, expires_on, matured_at
          from loyalty_credit credit join person on person.id = account_id""",
    "holds": """
        select customer, points, captured_points, released_points, expires_at
          from loyalty_hold hold join person on person.id = account_id""",
    "spendings": """
        select customer, points, given_back_points
          from loyalty_spending spending join person on person.id = account_id""",
    "entries": """
        select customer, version, kind, purpose, effective_at, line, bucket, entry.points, expires_on,
               available_after_points, pending_after_points, held_after_points, debt_after_points,
               orders_order.number, posting.rule_set_id, posting.actor_id, explanation::text
          from loyalty_entry entry join person on person.id = entry.account_id
          join loyalty_posting posting on posting.id = entry.posting_id
          left join loyalty_lot lot on lot.id = entry.lot_id
          left join orders_order on orders_order.id = posting.order_id""",
    "programme": """
        select account_id, kind, effective_at, line, bucket, points, origin_id is null
          from loyalty_entry entry join loyalty_posting posting on posting.id = entry.posting_id
         where account_id < 0""",
    # The key of a capture is made of its hold's id.
    "requests": """
        select case when request not like 'capture %' then key end as key, refusal, limit_points
          from loyalty_request""",
    "standings": """
        select customer, paid_sum, tier_id, since_at, floor_position
          from loyalty_standing standing join person on person.id = standing.member_id""",
    "tier changes": """
        select customer, from_tier_id, to_tier_id, change.rule_set_id, change.changed_at, cause,
               number, actor_id, reason
          from loyalty_tier_change change join person on person.id = change.member_id
          left join orders_order on orders_order.id = change.order_id""",
    "paid sums": """
        select customer, number, counted_at, recorded_at, entry.paid_sum
          from loyalty_paid_sum_entry entry join person on person.id = entry.member_id
          join orders_order on orders_order.id = entry.order_id""",
    "orders": """
        select customer, to_jsonb(orders_order) - '{id,member_id,outlet_id,changed_at}'::text[], outlet.name
          from orders_order left join person on person.id = orders_order.member_id
          left join orders_outlet outlet on outlet.id = orders_order.outlet_id""",
    "lines": """
        select number, position, name, category, quantity, line_sum, line.refunded_sum
          from orders_orderline line join orders_order on orders_order.id = line.order_id""",
    "steps": """
        select number, kind, key, request - 'member', happened_at, step.actor_id, money_sum,
               step.earned_points, step.spent_points
          from orders_order_step step join orders_order on orders_order.id = step.order_id""",
    "rewards": """
        select customer, reward.kind, number, base_sum, referral_rate, points, reward.taken_back_points,
               reward.taken_back_for, reward.rule_set_id, rewarded_at, available_at, is_held
          from referrals_reward reward
          left join orders_order on orders_order.id = reward.order_id
          join referrals_referral referral on referral.id = reward.referral_id
          join person on person.id = case reward.kind when 'share' then referral.inviter_id
                                                      else referral.invited_id end""",
    "referrals": """
        select customer, since_at, how, ended_at, orders_count, first_bought_at
          from referrals_referral referral join person on person.id = referral.invited_id""",
    "flags": """
        select customer, flag.kind, noticed_at, decision
          from referrals_flag flag join referrals_referral referral on referral.id = flag.referral_id
          join person on person.id = referral.invited_id""",
    # Those of one member are read in their order, and so are those of one moment; but the ledger tells what
    # became available between the orders of a request when it credits them all, before the orders themselves.
    "messages": """
        select customer, kind, facts, happened_at, wants_letter,
               row_number() over (partition by member_id, kind = 'points_available' order by message.id),
               row_number() over (partition by member_id order by happened_at, message.id) as in_time
          from accounts_message message join person on person.id = message.member_id""",
    "members": "select customer, joined_at, first_name, email, language from person",
}
PEOPLE = """
    with person as (
        select member.id, joined_at, first_name, email, language, coalesce(external_id, number) as customer
          from accounts_member member left join orders_customer on orders_customer.member_id = member.id)
"""


def state() -> dict[str, list[str]]:
    """Everything there is, by what it is called outside."""
    found = {}
    with connection.cursor() as cursor:
        for name, query in STATE.items():
            cursor.execute(f"{PEOPLE} select to_jsonb(row)::text from ({query}) as row order by 1")
            found[name] = [row for (row,) in cursor.fetchall()]
    return found


def assert_same(together, one_by_one, *, but=()):
    for name in STATE.keys() - set(but):
        differing = set(together[name]) ^ set(one_by_one[name])
        assert sorted(differing)[:6] == [], name
        assert len(together[name]) == len(one_by_one[name]), name
