"""What happened adds up and follows the rules of its time: postings, entries and their records."""

from django.utils.translation import gettext_lazy as _

from loyalty.queries.audit.check import Check

HISTORY_CHECKS = (
    Check(
        promise="L1",
        name="posting_sums_to_zero",
        sentence=_("The entries of every operation sum to zero."),
        looks_at="loyalty_entry",
        broken="""
            SELECT posting_id, sum(points) AS points
              FROM loyalty_entry GROUP BY posting_id HAVING sum(points) <> 0""",
    ),
    Check(
        promise="L1",
        name="posting_has_entries",
        sentence=_("Every operation has entries, and every entry its operation."),
        looks_at="loyalty_posting",
        broken="""
            SELECT posting_id, posting.id AS posting
              FROM (SELECT DISTINCT posting_id FROM loyalty_entry) AS entry
              FULL JOIN loyalty_posting AS posting ON posting.id = posting_id
             WHERE posting_id IS NULL OR posting.id IS NULL""",
    ),
    Check(
        promise="L1",
        name="posting_names_its_origin",
        sentence=_("What goes on with an operation, or reverses it, names it, and it exists."),
        looks_at="loyalty_posting",
        broken="""
            SELECT posting.id, posting.kind, posting.origin_id, origin.kind AS origin_kind
              FROM loyalty_posting AS posting
              LEFT JOIN loyalty_posting AS origin ON origin.id = posting.origin_id
             WHERE CASE posting.kind
                   WHEN 'mature' THEN origin.kind = 'credit'
                   WHEN 'take_back' THEN origin.kind = 'credit'
                   WHEN 'capture' THEN origin.kind = 'hold'
                   WHEN 'release' THEN origin.kind = 'hold'
                   WHEN 'give_back' THEN origin.kind IN ('spend', 'capture')
                   WHEN 'reverse' THEN origin.kind IN ('transfer', 'adjust')
                   ELSE posting.origin_id IS NULL END IS NOT TRUE""",
    ),
    Check(
        promise="L3",
        name="operation_has_its_record",
        sentence=_("Every credit, hold and spending is recorded with the points and the account it moved."),
        looks_at="loyalty_posting",
        broken="""
            SELECT posting.id AS posting, posting.kind, record.*
              FROM (SELECT posting.id, posting.kind, entry.account_id, sum(abs(entry.points)) AS points
                      FROM loyalty_posting AS posting
                      JOIN loyalty_entry AS entry ON entry.posting_id = posting.id
                     WHERE posting.kind IN ('credit', 'hold', 'spend', 'capture') AND entry.account_id > 0
                       AND (posting.kind <> 'hold' OR entry.bucket = 'held')
                     GROUP BY posting.id, posting.kind, entry.account_id) AS posting
              FULL JOIN (SELECT posting_id, account_id, points, '{credit}'::text[] AS kinds
                           FROM loyalty_credit
                          UNION ALL
                         SELECT posting_id, account_id, points, '{hold}' FROM loyalty_hold
                          UNION ALL
                         SELECT posting_id, account_id, points, '{spend,capture}' FROM loyalty_spending
                        ) AS record
                ON record.posting_id = posting.id AND record.account_id = posting.account_id
               AND record.points = posting.points AND posting.kind = ANY(record.kinds)
             WHERE posting.id IS NULL OR record.posting_id IS NULL""",
    ),
    Check(
        promise="L4",
        name="request_has_one_effect",
        sentence=_(
            "Every key led to one operation at most, and every operation to be asked for has its key."
        ),
        looks_at="loyalty_request",
        broken="""
            SELECT posting.id AS posting, posting.kind, asked.*
              FROM (SELECT posting_id, count(*) AS keys FROM loyalty_request
                     -- Scheduling posts nothing: its answer is the credit itself.
                     WHERE posting_id IS NOT NULL AND NOT starts_with(request, 'schedule ')
                     GROUP BY 1) AS asked
              FULL JOIN loyalty_posting AS posting ON posting.id = asked.posting_id
             WHERE posting.id IS NULL OR asked.keys > 1
                OR (asked.keys IS NULL AND posting.kind NOT IN ('mature', 'release', 'expire'))""",
    ),
    Check(
        promise="L5",
        name="nothing_leaves_after_its_last_day",
        sentence=_("No points were spent, set aside or given after their last day."),
        looks_at="loyalty_entry",
        broken="""
            SELECT posting.id, posting.kind, posting.effective_at, lot.id AS lot, lot.expires_on, entry.points
              FROM loyalty_lot AS lot
              JOIN loyalty_entry AS entry ON entry.lot_id = lot.id
              JOIN loyalty_posting AS posting ON posting.id = entry.posting_id
             WHERE entry.bucket = 'available' AND entry.points < 0 AND posting.kind <> 'expire'
               AND lot.expires_on < (posting.effective_at AT TIME ZONE %(zone)s)::date""",
    ),
    Check(
        promise="L5",
        name="nothing_expires_on_its_last_day",
        sentence=_("No points expired before their last day was over."),
        looks_at="loyalty_entry",
        broken="""
            SELECT posting.id, posting.effective_at, lot.id AS lot, lot.expires_on, entry.points
              FROM loyalty_posting AS posting
              JOIN loyalty_entry AS entry ON entry.posting_id = posting.id
              JOIN loyalty_lot AS lot ON lot.id = entry.lot_id
             WHERE posting.kind = 'expire'
               AND (lot.expires_on IS NULL
                    OR lot.expires_on >= (posting.effective_at AT TIME ZONE %(zone)s)::date)""",
    ),
    Check(
        promise="L6",
        name="credit_keeps_its_life",
        sentence=_("Credited points are in the lot of the day and the fund they were credited with."),
        looks_at="loyalty_credit",
        broken="""
            SELECT credit.posting_id, credit.expires_on, credit.fund, lot.id AS lot,
                   lot.expires_on AS lot_expires_on, lot.fund AS lot_fund
              FROM (SELECT id, id AS credit_id FROM loyalty_posting WHERE kind = 'credit'
                     UNION ALL SELECT id, origin_id FROM loyalty_posting WHERE kind = 'mature') AS posting
              JOIN loyalty_credit AS credit ON credit.posting_id = posting.credit_id
              JOIN loyalty_entry AS entry ON entry.posting_id = posting.id AND entry.lot_id IS NOT NULL
              JOIN loyalty_lot AS lot ON lot.id = entry.lot_id
             WHERE (lot.expires_on, lot.fund) IS DISTINCT FROM (credit.expires_on, credit.fund)""",
    ),
    Check(
        promise="L7",
        name="transfer_keeps_days_and_funds",
        sentence=_(
            "Transferred points kept their last day and their fund, but for those that settled a debt."
        ),
        looks_at="loyalty_entry",
        # What is missing on a day can only be what settled a debt, since the whole sums to zero.
        broken="""
            SELECT posting.id, lot.expires_on, lot.fund, sum(entry.points) AS points
              FROM loyalty_posting AS posting
              LEFT JOIN loyalty_posting AS origin ON origin.id = posting.origin_id
              JOIN loyalty_entry AS entry ON entry.posting_id = posting.id
              LEFT JOIN loyalty_lot AS lot ON lot.id = entry.lot_id
             WHERE (posting.kind = 'transfer' OR (posting.kind = 'reverse' AND origin.kind = 'transfer'))
               AND entry.bucket <> 'debt'
             GROUP BY posting.id, lot.expires_on, lot.fund
            HAVING sum(entry.points) > 0""",
    ),
    Check(
        promise="L8",
        name="given_back_points_live_on",
        sentence=_("Points that were given back live for 30 days more at least."),
        looks_at="loyalty_posting",
        broken="""
            SELECT posting.id, posting.effective_at, lot.id AS lot, lot.expires_on
              FROM loyalty_posting AS posting
              JOIN loyalty_entry AS entry ON entry.posting_id = posting.id
              JOIN loyalty_lot AS lot ON lot.id = entry.lot_id
             WHERE posting.kind = 'give_back'
               AND lot.expires_on < (posting.effective_at AT TIME ZONE %(zone)s)::date + 30""",
    ),
    Check(
        promise="L9",
        name="earning_explains_itself",
        sentence=_("Every earning of an order names the order, the edition of the rules and its figures."),
        looks_at="loyalty_posting",
        broken="""
            SELECT id, purpose, order_id, rule_set_id
              FROM loyalty_posting
             WHERE kind = 'credit' AND purpose IN ('order', 'referral')
               AND (order_id IS NULL OR rule_set_id IS NULL OR explanation = '{}')""",
    ),
    Check(
        promise="R",
        name="nobody_is_counted_by_withdrawn_rules",
        sentence=_("Nobody has a tier of an edition that was withdrawn, and no operation followed it."),
        looks_at="loyalty_standing",
        broken="""
            SELECT edition.number AS edition, standing.member_id, NULL AS posting
              FROM loyalty_rule_set AS edition
              JOIN loyalty_tier AS tier ON tier.rule_set_id = edition.id
              JOIN loyalty_standing AS standing ON standing.tier_id = tier.id
             WHERE edition.withdrawn_at IS NOT NULL
             UNION ALL
            SELECT edition.number, NULL, posting.id
              FROM loyalty_rule_set AS edition
              JOIN loyalty_posting AS posting ON posting.rule_set_id = edition.id
             WHERE edition.withdrawn_at IS NOT NULL""",
    ),
)
