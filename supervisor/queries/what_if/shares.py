# ruff: noqa: S608, since the queries are put together from our own words only
"""What friends' orders would bring their inviters: as `referrals.queries.shares` decides, for all at once."""

from dataclasses import dataclass

from supervisor.queries.what_if.sides import Side


@dataclass(frozen=True)
class Shares:
    """The shares under one edition, of orders that somebody's invitation led to.

    An order brings points = round(base sum × the inviter's referral rate), if its base sum as it was paid
    reaches the edition's least and it was paid within the edition's months. Of each friend as many
    orders count as the edition says, the earliest that bring points; of each inviter's calendar month
    as many points as it lets them get, in the order of time. What was returned is taken off afterwards:
    the order keeps its place, and its month what it has used up.
    """

    side: Side

    def sql(self, orders: str) -> str:
        """SQL for `paid_at` and `points` of each order that brings a share.

        `orders` selects id, paid_at, referral_id, inviter_id, since_at, paid_base and left_base (before and
        after refunds, in kopecks), the inviter's rate, and orders_before: how many orders of the friend have
        brought a share before the first of them.
        """
        rules, name = self.side.rule_set, self.side.name
        conditions = ["paid_base >= %({}_referral_least)s", "brought > 0"]
        if rules.referral_months is not None:
            conditions.append(
                "(paid_at at time zone %(zone)s)::date < (since_at at time zone %(zone)s)::date"
                " + make_interval(months => %({}_referral_months)s)"
            )
        deserving = f"""
            select * from (
                   select *, {self.side.points("paid_base", "rate")} as brought,
                          {self.side.points("left_base", "rate")} as kept
                     from ({orders}) as friends_order
                   ) as friends_share
             where {" and ".join(condition.format(name) for condition in conditions)}"""
        if rules.referral_orders is not None:
            deserving = f"""
                select * from (
                       select *, orders_before
                                 + row_number() over (partition by referral_id order by paid_at, id) as turn
                         from ({deserving}) as deserving
                       ) as numbered
                 where turn <= %({name}_referral_orders)s"""
        if rules.referral_month_limit_points is None:
            return f"select paid_at, kept as points from ({deserving}) as deserving"
        return f"""
            select paid_at,
                   least(kept, brought, greatest(%({name}_referral_limit)s - (so_far - brought), 0)) as points
              from (
                   select *, sum(brought) over (
                                 partition by inviter_id, date_trunc('month', paid_at at time zone %(zone)s)
                                     order by paid_at, id) as so_far
                     from ({deserving}) as deserving
                   ) as of_month"""
