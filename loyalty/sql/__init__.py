"""The ledger's kernel, SQL functions in a schema of their own, and those about transfers."""

from pathlib import Path

# In the order in which they are needed; `guards` comes last, since it takes rights away.
PARTS = ("posting", "due", "operations", "bulk", "reads", "guards")


def kernel() -> str:
    """The SQL that replaces the whole kernel by the one in this folder."""
    return "\n".join((Path(__file__).parent / f"{part}.sql").read_text(encoding="utf-8") for part in PARTS)


def transfers() -> str:
    """The SQL that makes the functions about transfers, beside the kernel."""
    return (Path(__file__).parent / "transfers.sql").read_text(encoding="utf-8")
