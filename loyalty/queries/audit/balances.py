"""What is kept equals what happened: accounts, lots, holds and credits against their entries."""

from django.utils.translation import gettext_lazy as _

from loyalty.queries.audit.check import Check

BALANCE_CHECKS = (
    Check(
        promise="L2",
        name="account_equals_entries",
        sentence=_("The balance kept on every account equals the sum of its entries."),
        looks_at="loyalty_points_account",
        broken="""
            SELECT account.id, account.available_points, account.pending_points, account.held_points,
                   account.debt_points, entries.*
              FROM loyalty_points_account AS account
              LEFT JOIN (SELECT account_id,
                                sum(points) FILTER (WHERE bucket = 'available') AS available,
                                sum(points) FILTER (WHERE bucket = 'pending') AS pending,
                                sum(points) FILTER (WHERE bucket = 'held') AS held,
                                -sum(points) FILTER (WHERE bucket = 'debt') AS debt
                           FROM loyalty_entry WHERE account_id > 0 GROUP BY account_id
                        ) AS entries ON entries.account_id = account.id
             WHERE (account.available_points, account.pending_points, account.held_points,
                    account.debt_points)
                   IS DISTINCT FROM (coalesce(available, 0), coalesce(pending, 0), coalesce(held, 0),
                                     coalesce(debt, 0))""",
    ),
    Check(
        promise="L2",
        name="account_equals_lots",
        sentence=_("What is available and set aside on every account equals its lots."),
        looks_at="loyalty_lot",
        broken="""
            SELECT account.id, account.available_points, account.held_points, free, held
              FROM loyalty_points_account AS account
              FULL JOIN (SELECT account_id, sum(points - held_points) AS free, sum(held_points) AS held
                           FROM loyalty_lot GROUP BY account_id
                        ) AS lots ON lots.account_id = account.id
             WHERE (account.available_points, account.held_points)
                   IS DISTINCT FROM (coalesce(free, 0), coalesce(held, 0))""",
    ),
    Check(
        promise="L2",
        name="lot_equals_entries",
        sentence=_("What is left in every lot equals its entries."),
        looks_at="loyalty_lot",
        broken="""
            SELECT lot.id, lot.points, lot.held_points, entries.*
              FROM loyalty_lot AS lot
              FULL JOIN (SELECT lot_id, sum(points) AS moved,
                                sum(points) FILTER (WHERE bucket = 'held') AS held
                           FROM loyalty_entry WHERE lot_id IS NOT NULL GROUP BY lot_id
                        ) AS entries ON entries.lot_id = lot.id
             WHERE (lot.points, lot.held_points) IS DISTINCT FROM (coalesce(moved, 0), coalesce(held, 0))""",
    ),
    Check(
        promise="L2",
        name="entry_names_its_own_lot",
        sentence=_("Available and held points name a lot of their own account; nothing else names one."),
        looks_at="loyalty_entry",
        broken="""
            SELECT entry.posting_id, entry.line, entry.account_id, entry.bucket, entry.lot_id
              FROM loyalty_entry AS entry
              LEFT JOIN loyalty_lot AS lot ON lot.id = entry.lot_id
             WHERE (entry.account_id > 0 AND entry.bucket IN ('available', 'held'))
                   IS DISTINCT FROM (entry.lot_id IS NOT NULL)
                OR entry.account_id <> lot.account_id""",
    ),
    Check(
        promise="L2",
        name="pending_equals_credits",
        sentence=_("What is pending on every account equals its credits that wait."),
        looks_at="loyalty_credit",
        broken="""
            SELECT account.id, account.pending_points, waiting
              FROM loyalty_points_account AS account
              FULL JOIN (SELECT account_id, sum(points - taken_back_points) AS waiting
                           FROM loyalty_credit WHERE matured_at IS NULL GROUP BY account_id
                        ) AS credits ON credits.account_id = account.id
             WHERE account.pending_points IS DISTINCT FROM coalesce(waiting, 0)""",
    ),
    Check(
        promise="L2",
        name="held_equals_holds",
        sentence=_("What is set aside on every account equals its open holds."),
        looks_at="loyalty_hold",
        broken="""
            SELECT account.id, account.held_points, open
              FROM loyalty_points_account AS account
              FULL JOIN (SELECT account_id, sum(points - captured_points - released_points) AS open
                           FROM loyalty_hold GROUP BY account_id
                        ) AS holds ON holds.account_id = account.id
             WHERE account.held_points IS DISTINCT FROM coalesce(open, 0)""",
    ),
    Check(
        promise="L2",
        name="account_is_somebodys",
        sentence=_("Every account is a member's or one of the programme's four."),
        looks_at="loyalty_points_account",
        broken="""
            SELECT account.id FROM loyalty_points_account AS account
              LEFT JOIN accounts_member AS member ON member.id = account.id
             WHERE member.id IS NULL AND account.id NOT IN (-1, -2, -3, -4)
             UNION ALL
            SELECT DISTINCT account_id FROM loyalty_entry AS entry
             WHERE NOT EXISTS (SELECT FROM loyalty_points_account WHERE id = account_id)""",
    ),
    Check(
        promise="L2",
        name="issued_is_somewhere",
        sentence=_("All points ever issued are with members, spent, expired or adjusted."),
        looks_at="loyalty_entry",
        broken="""
            SELECT programme.points AS programme_points, members.points AS member_points
              FROM (SELECT coalesce(sum(points), 0) AS points
                      FROM loyalty_entry WHERE account_id < 0) AS programme,
                   (SELECT coalesce(sum(available_points + pending_points + held_points - debt_points), 0)
                           AS points FROM loyalty_points_account) AS members
             WHERE programme.points + members.points <> 0""",
    ),
    Check(
        promise="L3",
        name="never_below_zero",
        sentence=_("No account was ever below zero, and nobody who owes has points to spend."),
        looks_at="loyalty_entry",
        broken="""
            SELECT account_id, version, available_after_points, pending_after_points, held_after_points,
                   debt_after_points
              FROM loyalty_entry
             WHERE least(available_after_points, pending_after_points, held_after_points,
                         debt_after_points) < 0
                OR (debt_after_points > 0 AND available_after_points > 0)
             UNION ALL
            SELECT id, version, available_points, pending_points, held_points, debt_points
              FROM loyalty_points_account
             WHERE least(available_points, pending_points, held_points, debt_points) < 0
                OR (debt_points > 0 AND available_points > 0)""",
    ),
    Check(
        promise="L3",
        name="hold_is_settled_once",
        sentence=_("No hold gave more than it held: what was captured and released is in the entries."),
        looks_at="loyalty_hold",
        broken="""
            SELECT hold.posting_id, hold.points, hold.captured_points, hold.released_points, moved.*
              FROM loyalty_hold AS hold
              LEFT JOIN (SELECT origin_id,
                                -sum(entry.points) FILTER (WHERE posting.kind = 'capture') AS captured,
                                -sum(entry.points) FILTER (WHERE posting.kind = 'release') AS released
                           FROM loyalty_posting AS posting
                           JOIN loyalty_entry AS entry ON entry.posting_id = posting.id
                          WHERE posting.kind IN ('capture', 'release') AND entry.bucket = 'held'
                          GROUP BY origin_id
                        ) AS moved ON moved.origin_id = hold.posting_id
             WHERE (hold.captured_points, hold.released_points)
                   IS DISTINCT FROM (coalesce(captured, 0), coalesce(released, 0))
                OR hold.captured_points + hold.released_points > hold.points""",
    ),
    Check(
        promise="L3",
        name="spending_is_given_back_once",
        sentence=_("Nothing was given back that had not been spent."),
        looks_at="loyalty_spending",
        broken="""
            SELECT spending.posting_id, spending.points, spending.given_back_points, given_back
              FROM loyalty_spending AS spending
              LEFT JOIN (SELECT origin_id, -sum(entry.points) AS given_back
                           FROM loyalty_posting AS posting
                           JOIN loyalty_entry AS entry ON entry.posting_id = posting.id
                          WHERE posting.kind = 'give_back' AND entry.account_id < 0
                          GROUP BY origin_id
                        ) AS moved ON moved.origin_id = spending.posting_id
             WHERE spending.given_back_points <> coalesce(given_back, 0)
                OR spending.given_back_points > spending.points""",
    ),
    Check(
        promise="L3",
        name="credit_is_taken_back_once",
        sentence=_("Nothing was taken back that had not been credited."),
        looks_at="loyalty_credit",
        broken="""
            SELECT credit.posting_id, credit.points, credit.taken_back_points, taken_back
              FROM loyalty_credit AS credit
              LEFT JOIN (SELECT origin_id, sum(entry.points) AS taken_back
                           FROM loyalty_posting AS posting
                           JOIN loyalty_entry AS entry ON entry.posting_id = posting.id
                          WHERE posting.kind = 'take_back' AND entry.account_id < 0
                          GROUP BY origin_id
                        ) AS moved ON moved.origin_id = credit.posting_id
             WHERE credit.taken_back_points <> coalesce(taken_back, 0)
                OR credit.taken_back_points > credit.points""",
    ),
    Check(
        promise="L10",
        name="versions_have_no_gap",
        sentence=_("Each member's entries are numbered from 1 without a gap, up to the account's version."),
        looks_at="loyalty_entry",
        broken="""
            SELECT account.id, account.version, entries.*
              FROM loyalty_points_account AS account
              FULL JOIN (SELECT account_id, count(*) AS entries, min(version) AS first, max(version) AS last
                           FROM loyalty_entry WHERE account_id > 0 GROUP BY account_id
                        ) AS entries ON entries.account_id = account.id
             WHERE account.version IS DISTINCT FROM coalesce(entries, 0)
                OR account.version <> coalesce(last, 0) OR first <> 1""",
    ),
    Check(
        promise="L10",
        name="balance_after_adds_up",
        sentence=_("The balance that every entry carries is the one before it and its own points."),
        looks_at="loyalty_entry",
        broken="""
            SELECT account_id, version FROM (
                SELECT account_id, version, bucket, points,
                       available_after_points
                       - lag(available_after_points, 1, 0::bigint) OVER by_version AS available,
                       pending_after_points
                       - lag(pending_after_points, 1, 0::bigint) OVER by_version AS pending,
                       held_after_points - lag(held_after_points, 1, 0::bigint) OVER by_version AS held,
                       lag(debt_after_points, 1, 0::bigint) OVER by_version - debt_after_points AS debt
                  FROM loyalty_entry WHERE account_id > 0
                WINDOW by_version AS (PARTITION BY account_id ORDER BY version)) AS moved
             WHERE (available, pending, held, debt) IS DISTINCT FROM (
                   CASE bucket WHEN 'available' THEN points ELSE 0 END,
                   CASE bucket WHEN 'pending' THEN points ELSE 0 END,
                   CASE bucket WHEN 'held' THEN points ELSE 0 END,
                   CASE bucket WHEN 'debt' THEN points ELSE 0 END)""",
    ),
    Check(
        promise="L10",
        name="time_goes_forward",
        sentence=_("Along each member's entries, time never goes back."),
        looks_at="loyalty_entry",
        broken="""
            SELECT account_id, version, recorded_at FROM (
                SELECT account_id, version, recorded_at,
                       lag(recorded_at) OVER (PARTITION BY account_id ORDER BY version) AS before_at
                  FROM loyalty_entry WHERE account_id > 0) AS timed
             WHERE recorded_at < before_at
             UNION ALL
            SELECT entry.account_id, entry.version, entry.recorded_at
              FROM loyalty_entry AS entry JOIN loyalty_posting AS posting ON posting.id = entry.posting_id
             WHERE entry.recorded_at <> posting.recorded_at""",
    ),
    Check(
        promise="R",
        name="paid_sum_equals_its_steps",
        sentence=_(
            "The paid sum of every member, where all of time counts, equals the steps of their orders."
        ),
        looks_at="loyalty_standing",
        broken="""
            SELECT standing.member_id, standing.paid_sum, counted.paid_sum AS counted_sum
              FROM loyalty_standing AS standing
              JOIN loyalty_tier AS tier ON tier.id = standing.tier_id
              JOIN loyalty_rule_set AS edition
                ON edition.id = tier.rule_set_id AND edition.paid_sum_months IS NULL
              LEFT JOIN (SELECT member_id, sum(paid_sum) AS paid_sum
                           FROM loyalty_paid_sum_entry GROUP BY member_id
                        ) AS counted ON counted.member_id = standing.member_id
             WHERE standing.paid_sum <> coalesce(counted.paid_sum, 0)""",
    ),
)
