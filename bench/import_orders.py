"""How fast a file of orders is imported, and how much memory it takes as the file grows.

    python -m bench.import_orders [ORDERS …]

Imports generated files, 100 000 and 1 000 000 orders unless told otherwise, five orders a customer,
into the database of DATABASE_URL (which is filled by it), and prints for each file orders per
second, the peak of the process's memory, and what both are of the first file's.
"""

import argparse
import os
import random
import subprocess
import sys
import tempfile
import time
from datetime import date, timedelta
from pathlib import Path

PROJECT = Path(__file__).resolve().parent.parent
SIZES = (100_000, 1_000_000)
ORDERS_PER_CUSTOMER = 5
FIRST_DAY, DAYS = date(2024, 1, 1), 700
LEAST_PER_SECOND = 2_500


def main() -> None:
    """Generate, import and measure each size in turn."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("orders", nargs="*", type=int, default=SIZES)
    sizes = parser.parse_args().orders
    first: tuple[float, int] | None = None
    with tempfile.TemporaryDirectory() as folder:
        for size in sizes:
            # Each file is of another source, so that its orders are new whatever was there.
            source = f"bench-{int(time.time())}-{size}"
            path = generate(Path(folder) / f"{size}.csv", size)
            seconds, peak_bytes = measured(path, source)
            rate = size / seconds
            first = first or (rate, peak_bytes)
            print(
                f"{size:>9,} orders: {seconds:6.1f} s, {rate:6,.0f} orders/s "
                f"({rate / LEAST_PER_SECOND:.2f} of the {LEAST_PER_SECOND:,} promised, "
                f"{rate / first[0]:.2f} of the first), "
                f"peak {peak_bytes / 2**20:.0f} MB ({peak_bytes / first[1]:.2f} of the first)"
            )
            path.unlink()


def generate(path: Path, orders: int) -> Path:
    """A file of so many orders, the same at every run, in no order of time."""
    chance = random.Random(orders)
    customers = max(orders // ORDERS_PER_CUSTOMER, 1)
    with path.open("w", encoding="utf-8") as file:
        file.write("number,customer,paid_at,total\n")
        for number in range(orders):
            day = FIRST_DAY + timedelta(days=chance.randrange(DAYS))
            file.write(
                f"{number},{chance.randrange(customers):07d},{day},{chance.randrange(10_000_00) / 100}\n"
            )
    return path


def measured(path: Path, source: str) -> tuple[float, int]:
    """Seconds and peak memory, in bytes, of one import in a process of its own."""
    began = time.monotonic()
    process = subprocess.Popen(
        [
            sys.executable,
            "manage.py",
            "import_orders",
            str(path),
            "--source",
            source,
            "--columns",
            "number=number,customer=customer,paid_at=paid_at,total=total",
        ],
        cwd=PROJECT,
        stdout=subprocess.DEVNULL,
    )
    # Unlike getrusage for all children, this is the peak of this one alone.
    _pid, status, usage = os.wait4(process.pid, 0)
    if status:
        raise SystemExit(f"The import of {path.name} ended with status {status}.")
    return time.monotonic() - began, usage.ru_maxrss * 1024


if __name__ == "__main__":
    main()
