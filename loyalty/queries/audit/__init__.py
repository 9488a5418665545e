"""The ledger's promises as queries: each returns no row while its promise holds (L12).

Other apps add theirs in a module of the same name: `every_check` collects the `CHECKS` of every
installed app's `queries/audit`, so the programme is audited as a whole and loyalty knows nobody.
"""

from loyalty.queries.audit.balances import BALANCE_CHECKS
from loyalty.queries.audit.check import SHOWN_ROWS, Check, Finding, every_check, findings
from loyalty.queries.audit.guards import GUARD_CHECKS
from loyalty.queries.audit.history import HISTORY_CHECKS
from loyalty.queries.audit.transfers import TRANSFER_CHECKS

CHECKS = (*GUARD_CHECKS, *HISTORY_CHECKS, *BALANCE_CHECKS, *TRANSFER_CHECKS)

__all__ = ["CHECKS", "SHOWN_ROWS", "Check", "Finding", "every_check", "findings"]
