"""What orders say about money and points agrees with the ledger and with the paid sums."""

from django.utils.translation import gettext_lazy as _

from loyalty.queries.audit import Check

CHECKS = (
    Check(
        promise="L9",
        name="order_equals_its_credits",
        sentence=_("What every order earned, less what was taken back, equals its credits."),
        looks_at="orders_order",
        broken="""
            SELECT orders.id, orders.number, earned_points - orders.taken_back_points AS on_order,
                   coalesce(credited.points, 0) AS in_ledger
              FROM orders_order AS orders
              LEFT JOIN (SELECT posting.order_id, sum(credit.points - credit.taken_back_points) AS points
                           FROM loyalty_credit AS credit
                           JOIN loyalty_posting AS posting ON posting.id = credit.posting_id
                          WHERE posting.purpose = 'order'
                          GROUP BY posting.order_id) AS credited ON credited.order_id = orders.id
             WHERE earned_points - orders.taken_back_points <> coalesce(credited.points, 0)""",
    ),
    Check(
        promise="L9",
        name="order_equals_its_spendings",
        sentence=_("What was spent on every order, less what was given back, equals its spendings."),
        looks_at="orders_order",
        broken="""
            SELECT orders.id, orders.number, spent_points - orders.given_back_points AS on_order,
                   coalesce(spent.points, 0) AS in_ledger
              FROM orders_order AS orders
              LEFT JOIN (SELECT posting.order_id, sum(spending.points - spending.given_back_points) AS points
                           FROM loyalty_spending AS spending
                           JOIN loyalty_posting AS posting ON posting.id = spending.posting_id
                          GROUP BY posting.order_id) AS spent ON spent.order_id = orders.id
             WHERE spent_points - orders.given_back_points <> coalesce(spent.points, 0)""",
    ),
    Check(
        promise="L9",
        name="reward_equals_its_credit",
        sentence=_("Every reward of an invitation equals its credit."),
        looks_at="referrals_reward",
        broken="""
            SELECT reward.id, reward.credit_id, reward.points - reward.taken_back_points AS on_reward,
                   credit.points - credit.taken_back_points AS in_ledger
              FROM referrals_reward AS reward
              LEFT JOIN loyalty_credit AS credit ON credit.posting_id = reward.credit_id
             WHERE (reward.points, reward.taken_back_points)
                   IS DISTINCT FROM (credit.points, credit.taken_back_points)""",
    ),
    Check(
        promise="L9",
        name="shares_equal_the_ledger",
        sentence=_("What friends' orders brought every inviter equals their credits for it."),
        looks_at="referrals_reward",
        broken="""
            SELECT coalesce(shared.inviter_id, credited.account_id) AS inviter_id,
                   coalesce(shared.points, 0) AS on_rewards, coalesce(credited.points, 0) AS in_ledger
              FROM (SELECT referral.inviter_id, sum(reward.points - reward.taken_back_points) AS points
                      FROM referrals_reward AS reward
                      JOIN referrals_referral AS referral ON referral.id = reward.referral_id
                     WHERE reward.kind = 'share'
                     GROUP BY referral.inviter_id) AS shared
              FULL JOIN (SELECT credit.account_id, sum(credit.points - credit.taken_back_points) AS points
                           FROM loyalty_credit AS credit
                           JOIN loyalty_posting AS posting ON posting.id = credit.posting_id
                          WHERE posting.purpose = 'referral'
                          GROUP BY credit.account_id) AS credited
                     ON credited.account_id = shared.inviter_id
             WHERE coalesce(shared.points, 0) <> coalesce(credited.points, 0)""",
    ),
    Check(
        promise="L9",
        name="held_reward_is_pending",
        sentence=_("Every reward that waits for a decision is pending, and no other waits for one."),
        looks_at="referrals_reward",
        broken="""
            SELECT reward.id, reward.is_held, credit.available_at, credit.matured_at
              FROM referrals_reward AS reward
              JOIN loyalty_credit AS credit ON credit.posting_id = reward.credit_id
             WHERE reward.is_held <> (credit.matured_at IS NULL AND credit.available_at = '9999-01-01Z')
                OR reward.is_held AND NOT EXISTS (
                       SELECT FROM referrals_flag AS flag
                        WHERE flag.referral_id = reward.referral_id AND flag.decision = '')""",
    ),
    Check(
        promise="R",
        name="referral_counts_orders",
        sentence=_(
            "Every invitation counts the paid orders that it led to, as long as something is left of them."
        ),
        looks_at="referrals_referral",
        broken="""
            SELECT referral.id, referral.orders_count, coalesce(bought.orders, 0) AS orders,
                   referral.first_bought_at, bought.first_at
              FROM referrals_referral AS referral
              LEFT JOIN (SELECT referral.id, count(*) AS orders, min(orders.paid_at) AS first_at
                           FROM referrals_referral AS referral
                           JOIN orders_order AS orders
                             ON orders.member_id = referral.invited_id AND orders.paid_at >= referral.since_at
                          WHERE orders.status IN ('paid', 'partly_refunded')
                          GROUP BY referral.id) AS bought ON bought.id = referral.id
             WHERE referral.orders_count <> coalesce(bought.orders, 0)
                OR referral.first_bought_at IS DISTINCT FROM bought.first_at""",
    ),
    Check(
        promise="L9",
        name="order_equals_its_lines",
        sentence=_("The lines of every order make its goods, and their returns its returns."),
        looks_at="orders_order",
        broken="""
            SELECT orders.id, orders.number, total_sum - delivery_sum AS goods_sum, lines.line_sum,
                   orders.refunded_sum - refunded_delivery_sum AS returned_sum, lines.refunded_sum
              FROM orders_order AS orders
              JOIN (SELECT order_id, sum(line_sum) AS line_sum, sum(refunded_sum) AS refunded_sum
                      FROM orders_orderline GROUP BY order_id) AS lines ON lines.order_id = orders.id
             WHERE (total_sum - delivery_sum, orders.refunded_sum - refunded_delivery_sum)
                   <> (lines.line_sum, lines.refunded_sum)""",
    ),
    Check(
        promise="R",
        name="no_order_follows_withdrawn_rules",
        sentence=_("No order was counted by an edition that was withdrawn."),
        looks_at="orders_order",
        broken="""
            SELECT orders.id, orders.number, edition.number AS edition
              FROM loyalty_rule_set AS edition
              JOIN orders_order AS orders ON orders.rule_set_id = edition.id
             WHERE edition.withdrawn_at IS NOT NULL""",
    ),
    Check(
        promise="R",
        name="paid_sum_follows_orders",
        sentence=_("What every order added to its member's paid sum is the money that it kept."),
        looks_at="orders_order",
        broken="""
            SELECT orders.id, orders.number, kept.money_sum, coalesce(counted.paid_sum, 0) AS counted_sum
              FROM orders_order AS orders
             CROSS JOIN LATERAL (SELECT CASE WHEN payments_count > 0 AND member_id IS NOT NULL
                    THEN total_sum - refunded_sum - spent_points + given_back_points ELSE 0 END AS money_sum
                   ) AS kept
              LEFT JOIN (SELECT order_id, sum(paid_sum) AS paid_sum
                           FROM loyalty_paid_sum_entry GROUP BY order_id) AS counted
                     ON counted.order_id = orders.id
             WHERE kept.money_sum <> coalesce(counted.paid_sum, 0)""",
    ),
)
