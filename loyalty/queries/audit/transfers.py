"""What transfers say agrees with the postings behind them."""

from django.utils.translation import gettext_lazy as _

from loyalty.queries.audit.check import Check

TRANSFER_CHECKS = (
    Check(
        promise="L7",
        name="transfer_equals_its_posting",
        sentence=_(
            "Every transfer says what its posting moved: from whom, to whom, how many, when, by whom."
        ),
        looks_at="loyalty_transfer",
        broken="""
            SELECT transfer.id, transfer.number, transfer.posting_id, posting.kind, moved.*
              FROM loyalty_transfer AS transfer
              LEFT JOIN loyalty_posting AS posting ON posting.id = transfer.posting_id
              LEFT JOIN loyalty_request AS request ON request.key = transfer.key
              LEFT JOIN LATERAL (
                       SELECT sum(points) FILTER (WHERE account_id = transfer.sender_id) AS gave,
                              sum(points) FILTER (WHERE account_id = transfer.recipient_id) AS got,
                              count(*) FILTER (WHERE account_id NOT IN (
                                  transfer.sender_id, transfer.recipient_id)) AS others
                         FROM loyalty_entry AS entry WHERE entry.posting_id = transfer.posting_id
                   ) AS moved ON true
             WHERE (posting.kind, posting.effective_at, posting.rule_set_id, posting.actor_id,
                    request.posting_id, gave, got, others)
                   IS DISTINCT FROM ('transfer', transfer.made_at, transfer.rule_set_id, transfer.actor_id,
                                     transfer.posting_id, -transfer.points, transfer.points, 0)""",
    ),
    Check(
        promise="L7",
        name="transfer_equals_its_reversal",
        sentence=_(
            "Every transfer that went back says by which posting, when and by whom, and no other did."
        ),
        looks_at="loyalty_transfer",
        broken="""
            SELECT transfer.id, transfer.number, transfer.reversal_id, reversal.id AS reversed_by
              FROM loyalty_transfer AS transfer
              LEFT JOIN loyalty_posting AS reversal
                ON reversal.origin_id = transfer.posting_id AND reversal.kind = 'reverse'
             WHERE (transfer.reversal_id, transfer.taken_back_at, transfer.ended_actor_id)
                   IS DISTINCT FROM (reversal.id, reversal.effective_at, reversal.actor_id)""",
    ),
    Check(
        promise="L7",
        name="transfer_is_between_members",
        sentence=_(
            "Both sides of every transfer, and of every one that was asked for, are members of one world."
        ),
        looks_at="loyalty_transfer_intent",
        broken="""
            SELECT given.id, given.sender_id, given.recipient_id
              FROM (SELECT id, sender_id, recipient_id FROM loyalty_transfer
                     UNION ALL
                    SELECT id, sender_id, recipient_id FROM loyalty_transfer_intent) AS given
              LEFT JOIN accounts_member AS sender ON sender.id = given.sender_id
              LEFT JOIN accounts_member AS recipient ON recipient.id = given.recipient_id
             WHERE sender.id IS NULL OR recipient.id IS NULL
                OR sender.is_sandbox IS DISTINCT FROM recipient.is_sandbox""",
    ),
    Check(
        promise="L4",
        name="transfer_comes_from_one_intent",
        sentence=_("Every transfer is what its sender had asked for, and nothing else."),
        looks_at="loyalty_transfer",
        broken="""
            SELECT transfer.id, transfer.number, transfer.key
              FROM loyalty_transfer AS transfer
              LEFT JOIN loyalty_transfer_intent AS intent ON intent.key = transfer.key
             -- Intents are deleted 30 days after they were over.
             WHERE (intent.key IS NOT NULL OR transfer.made_at > now() - interval '30 days')
               AND (intent.sender_id, intent.recipient_id, intent.points, intent.proof)
                   IS DISTINCT FROM (transfer.sender_id, transfer.recipient_id, transfer.points,
                                     transfer.proof)""",
    ),
)
