"""Importing order files: what comes in, what is known already, what is refused, and what is said."""

from datetime import date, datetime, timedelta
from decimal import Decimal
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.utils import timezone

from accounts.models import Member
from loyalty.models import Credit, Posting, Standing, TierChange
from loyalty.queries.audit import every_check
from loyalty.services.audit import run_audit
from loyalty.services.ledger import event_key
from loyalty.services.rules import create_draft, publish_rule_set
from orders.errors import OrderDiffers
from orders.imports.errors import AlreadyRunning, Interrupted, RowsRefused, WrongEncoding
from orders.imports.mapping import ColumnMapping
from orders.models import Customer, Order, OrderStep, Outlet, Source
from orders.services.importing import staging
from orders.services.importing.orders import IMPORT_LOCK, import_orders
from orders.services.orders import pay_order, place_order, register_paid_order
from referrals.models import How, Referral, Reward
from referrals.services import attach_inviter
from tests.clock import MOSCOW, NOON
from tests.factories import MemberFactory
from tests.loyalty.editions import LONG_AGO, publish_edition, tier_spec
from tests.orders.shop import balance_of
from tests.referrals.friends import broken_promises, click_on_link, join, publish

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("in_english")]

COLUMNS = {"customer": "customer", "paid_at": "date", "total": "total"}
NUMBERED = {"number": "number", **COLUMNS}
# Equal to the letter, yet each of them an order; in no order of time, with an order of nothing.
LOG = """customer,date,total
00002,2026-01-12,77.00
00001,2026-01-01,11.77
00002,2026-01-12,12.00
00003,2026-02-02,20.76
00003,2026-02-02,20.76
00003,2026-02-02,20.76
00003,2025-11-30,0.00
"""


@pytest.fixture
def take(tmp_path):
    """Imports a text as a file; what comes back are the report and the bad rows."""

    def imported(content, columns=COLUMNS, at=NOON, **choices):
        path = tmp_path / "orders.csv"
        path.write_text(content, encoding="utf-8")
        bad_rows = []
        report = import_orders(
            path=path,
            mapping=ColumnMapping(source="noon", source_name="Полдень", columns=columns),
            at=at,
            refuse=bad_rows.append,
            **choices,
        )
        return report, bad_rows

    return imported


def everything():
    """Row counts of whatever an import writes."""
    return {
        model.__name__: model.objects.count()
        for model in (Source, Outlet, Member, Customer, Order, OrderStep, Posting, Standing, TierChange)
    }


def refusals(bad_rows):
    return [(row.row, row.field, row.found) for row in bad_rows]


def test_a_log_of_purchases_comes_in_whole_and_in_order_of_time(take):
    publish_edition(("Basic", 0, "0.10"), ("Silver", 50, "0.20"))

    report, bad_rows = take(LOG)

    assert bad_rows == []
    assert (report.new_orders, report.known_orders, report.new_members) == (7, 0, 3)
    assert (report.total_sum, report.points) == (Decimal("163.05"), 1 + 15 + 2 + 2 + 2 + 4)
    assert report.tiers == {"Basic": 1, "Silver": 2}
    third = Customer.objects.get(external_id="00003").member
    assert third.joined_at == datetime(2025, 11, 30, tzinfo=MOSCOW)
    assert list(third.orders.order_by("paid_at", "pk").values_list("earned_points", flat=True)) == [
        0,
        2,
        2,
        4,
    ]
    assert Standing.objects.get(member=third).paid_sum == Decimal("62.28")
    assert balance_of(third).available_points == 8
    assert len(set(Order.objects.values_list("number", flat=True))) == 7


def test_case_135_the_same_file_again_changes_nothing(take):
    take(LOG)
    before = everything()

    report, _bad_rows = take(LOG)

    assert (report.new_orders, report.known_orders) == (0, 7)
    assert everything() == before


def test_a_longer_file_adds_what_is_new(take):
    take(LOG)

    report, _bad_rows = take(LOG + "00003,2026-02-02,20.76\n00004,2026-02-03,5\n")

    assert (report.new_orders, report.known_orders, report.new_members) == (2, 7, 1)
    assert Customer.objects.get(external_id="00003").member.orders.count() == 5


def test_a_dry_run_says_the_same_and_changes_nothing(take):
    before = everything()

    foreseen, _bad_rows = take(LOG, is_dry_run=True)
    assert everything() == before

    report, _bad_rows = take(LOG)
    assert foreseen.is_dry_run
    for name in (
        "new_orders",
        "known_orders",
        "new_members",
        "total_sum",
        "points",
        "tiers",
        "first_at",
        "last_at",
    ):
        assert getattr(foreseen, name) == getattr(report, name), name


def test_an_import_that_was_killed_goes_on_where_it_stopped(take, monkeypatch):
    monkeypatch.setattr(staging, "BATCH_ORDERS", 2)
    wrote = []

    def die_after_the_first_batch(stage, done, total):
        wrote.append((stage, done))
        if stage == "Importing":
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        take(LOG, progress=die_after_the_first_batch)
    begun = Order.objects.count()
    report, _bad_rows = take(LOG)

    assert 0 < begun < 7
    assert (report.new_orders, report.known_orders) == (7 - begun, begun)


def test_a_person_with_more_orders_than_a_batch_takes(take, monkeypatch):
    monkeypatch.setattr(staging, "BATCH_ORDERS", 2)
    publish_edition(("Basic", 0, "0.10"), ("Silver", 50, "0.20"))
    rows = "".join(f"1,2026-01-{day:02d},10\n" for day in range(1, 11))

    foreseen, _bad_rows = take(f"customer,date,total\n{rows}", is_dry_run=True)
    report, _bad_rows = take(f"customer,date,total\n{rows}")

    assert report.points == foreseen.points == 4 * 1 + 6 * 2
    assert report.tiers == foreseen.tiers == {"Basic": 0, "Silver": 1}


def test_what_expired_since_is_settled(take):
    publish_edition(("Everyone", 0, "1"), life_months=1, life_end="day")

    take("customer,date,total\n1,2025-01-01,100\n1,2025-01-20,50\n1,2026-03-01,7\n")

    member = Customer.objects.get().member
    assert list(Posting.objects.order_by("pk").values_list("kind", "effective_at")) == [
        ("credit", datetime(2025, 1, 1, tzinfo=MOSCOW)),
        ("credit", datetime(2025, 1, 20, tzinfo=MOSCOW)),
        ("expire", datetime(2025, 2, 1, tzinfo=MOSCOW)),
        ("expire", datetime(2025, 2, 20, tzinfo=MOSCOW)),
        ("credit", datetime(2026, 3, 1, tzinfo=MOSCOW)),
    ]
    assert balance_of(member).available_points == 7


def test_bad_rows_stop_the_import_unless_they_are_skipped(take):
    content = "customer,date,total\n1,2026-01-01,5\n2,someday,5\n3,2026-01-01,-5\n"
    before = everything()

    with pytest.raises(RowsRefused) as refusal:
        take(content)
    assert refusal.value.count == 2
    assert everything() == before

    report, bad_rows = take(content, skip_bad_rows=True)
    assert (report.new_orders, report.bad_rows) == (1, 2)
    assert refusals(bad_rows) == [(3, "paid_at", "someday"), (4, "total", "-5")]


def test_one_number_twice_in_a_file(take):
    report, bad_rows = take(
        "number,customer,date,total\nA,1,2026-01-01,5\nA,1,2026-01-01,5\nA,1,2026-01-01,6\n",
        NUMBERED,
        skip_bad_rows=True,
    )

    assert (report.new_orders, report.known_orders) == (1, 1)
    assert refusals(bad_rows) == [(4, "number", "A")]
    assert bad_rows[0].expected == "a number of its own: row 2 has the same one with other content"


def test_numbers_that_are_known_from_elsewhere(take, ada):
    shop = Source.objects.create(code="noon", name="Полдень")
    Customer.objects.create(source=shop, external_id="1", member=ada)
    at = datetime(2026, 1, 1, 15, 30, tzinfo=MOSCOW)
    for number in ("same", "other sum"):
        register_paid_order(source=shop, number=number, member=ada, total_sum=Decimal(5), paid_at=at)
    place_order(source=shop, number="unpaid", member=ada, total_sum=Decimal(5), placed_at=at)

    report, bad_rows = take(
        "number,customer,date,total\n"
        "same,1,2026-01-01,5\n"
        "other sum,1,2026-01-01,6\n"
        "unpaid,1,2026-01-01,5\n"
        "new,1,2026-01-01,5\n",
        NUMBERED,
        skip_bad_rows=True,
    )

    assert (report.new_orders, report.known_orders, report.new_members) == (1, 1, 0)
    assert refusals(bad_rows) == [(3, "number", "other sum"), (4, "number", "unpaid")]


def test_an_imported_order_that_arrives_again_by_the_services(take):
    take("number,customer,date,total\nA,1,2026-01-01,5\n", NUMBERED)
    order = Order.objects.select_related("member", "source").get()
    before = everything()

    again = register_paid_order(
        source=order.source, number="A", member=order.member, total_sum=Decimal(5), paid_at=NOON
    )
    pay_order(order=order, paid_at=NOON)

    assert again == order
    assert everything() == before
    paid_key = event_key("order", order.source_id, "A", "paid", 1)
    assert order.steps.get(kind=OrderStep.Kind.PAID).key == paid_key
    with pytest.raises(OrderDiffers):
        place_order(
            source=order.source, number="A", member=order.member, total_sum=Decimal(6), placed_at=NOON
        )


def test_people_are_found_by_what_they_have_verified(take, ada):
    stranger = MemberFactory(email="eve@example.com")
    columns = {**COLUMNS, "email": "email", "first_name": "name"}

    report, bad_rows = take(
        "customer,date,total,email,name\n"
        "1,2026-01-01,5,ADA@example.com,Ada\n"
        "2,2026-01-01,5,eve@example.com,Eve\n"
        "3,2026-01-02,5,,Cleo\n"
        "3,2026-01-01,5,cleo@example.com,\n"
        "4,2026-01-03,5,cleo@example.com,Dan\n",
        columns,
        skip_bad_rows=True,
    )

    assert (report.new_orders, report.new_members) == (3, 1)
    assert refusals(bad_rows) == [(3, "email", "eve@example.com"), (6, "email", "cleo@example.com")]
    assert ada.orders.count() == 1
    assert stranger.orders.count() == 0
    cleo = Customer.objects.get(external_id="3").member
    assert (cleo.email, cleo.email_verified_at, cleo.first_name) == ("cleo@example.com", None, "Cleo")


def test_people_known_by_contact_alone_are_found_again(take):
    columns = {"email": "email", "paid_at": "date", "total": "total"}
    take("email,date,total\neve@example.com,2026-01-01,5\n", columns)

    report, bad_rows = take("email,date,total\nEve@example.com,2026-01-02,6\n", columns)

    assert (report.new_orders, report.new_members, bad_rows) == (1, 0, [])
    assert Member.objects.get(email="eve@example.com").orders.count() == 2


def test_outlets_are_found_or_made(take):
    columns = {**COLUMNS, "outlet": "shop"}
    content = "customer,date,total,shop\n1,2026-01-01,5,Арбат\n1,2026-01-02,500,main\n1,2026-01-03,5,\n"
    Outlet.objects.create(
        source=Source.objects.create(code="noon", name="Полдень"), code="main", name="Main Street"
    )

    take(content, columns)

    assert list(Order.objects.order_by("paid_at").values_list("outlet__name", flat=True)) == [
        "Арбат",
        "Main Street",
        None,
    ]
    assert Posting.objects.get(explanation__outlet="Main Street").explanation["base_sum"] == "500.00"


def test_points_follow_the_current_edition_at_the_dates_of_the_orders(take):
    publish_edition(
        ("Everyone", 0, "0.10"), effective_at=datetime(2026, 2, 1, tzinfo=MOSCOW), waiting_days=14
    )

    take("customer,date,total\n1,2025-06-01,100\n1,2026-03-09,100\n")

    assert list(Credit.objects.order_by("pk").values_list("points", "available_at", "matured_at")) == [
        (10, datetime(2025, 6, 15, tzinfo=MOSCOW), datetime(2025, 6, 15, tzinfo=MOSCOW)),
        (10, datetime(2026, 3, 23, tzinfo=MOSCOW), None),
    ]


@pytest.mark.django_db(transaction=True)
def test_two_imports_of_one_source_do_not_run_together(take):
    other = connection.copy()
    try:
        with other.cursor() as cursor:
            cursor.execute("select pg_advisory_lock(%s, hashtext('noon'))", (IMPORT_LOCK,))
        with pytest.raises(AlreadyRunning):
            take(LOG)
    finally:
        with other.cursor() as cursor:
            cursor.execute("select pg_advisory_unlock_all()")
        other.close()


def command(path, *arguments):
    out, err = StringIO(), StringIO()
    call_command("import_orders", str(path), *arguments, stdout=out, stderr=err)
    return out.getvalue(), err.getvalue()


def test_the_command_says_what_it_did(tmp_path):
    (tmp_path / "log.csv").write_text(LOG)
    (tmp_path / "log.mapping.toml").write_text(
        'source = "noon"\n[columns]\ncustomer = "customer"\npaid_at = "date"\ntotal = "total"\n'
    )

    out, _err = command(tmp_path / "log.csv", "--dry-run")
    assert out.startswith("Would import 7 new orders; 0 known before, 0 bad rows.\n")
    assert out.endswith("This was a dry run: nothing was changed.\n")

    out, _err = command(tmp_path / "log.csv")
    assert out.startswith(
        "Imported 7 new orders; 0 known before, 0 bad rows.\n"
        "Paid from 2025-11-30 to 2026-02-02, 163.05 together.\n"
        "New members: 3. Points earned: 2.\n"
    )

    out, _err = command(tmp_path / "log.csv")
    assert out == "Nothing to import: no new orders, 7 known before, 0 bad rows.\n"


def test_the_command_lists_bad_rows_and_writes_them_to_a_file(tmp_path):
    rows = "".join(f"{number},2026-01-01,five\n" for number in range(25))
    (tmp_path / "log.csv").write_text(f"customer,date,total\n{rows}")
    options = ["--source", "noon", "--columns", "customer=1,paid_at=2,total=3"]
    err = StringIO()

    with pytest.raises(CommandError) as refusal:
        call_command(
            "import_orders",
            str(tmp_path / "log.csv"),
            *options,
            "--bad-rows",
            str(tmp_path / "bad.csv"),
            stderr=err,
        )

    assert refusal.value.returncode == 1
    assert str(refusal.value).startswith("Nothing was imported, since 25 rows cannot be taken.")
    lines = err.getvalue().splitlines()
    assert lines[0] == "Row 2, total: found “five”, expected a sum, such as 1234.50, without a currency."
    assert lines[-1] == "… and 5 more rows."
    written = (tmp_path / "bad.csv").read_text(encoding="utf-8").splitlines()
    assert written[1] == '2,total,five,"a sum, such as 1234.50, without a currency"'
    assert len(written) == 26


def test_the_command_asks_for_what_is_missing(tmp_path):
    (tmp_path / "log.csv").write_text(LOG)

    with pytest.raises(CommandError) as refusal:
        command(tmp_path / "log.csv", "--columns", "customer=1,paid_at=2,total=3")

    assert refusal.value.returncode == 2
    assert str(refusal.value) == (
        "Say which system these orders are from. Name it by --source with a short code, such as shop."
    )


@pytest.mark.django_db(transaction=True)
def test_batches_are_written_side_by_side_and_the_ledger_is_clean(take, monkeypatch):
    monkeypatch.setattr(staging, "BATCH_ORDERS", 4)
    rows = "".join(f"{day % 11},2025-0{1 + day % 9}-{1 + day % 28:02d},{40 * day}\n" for day in range(200))

    report, _bad_rows = take(f"customer,date,total\n{rows}")
    again, _bad_rows = take(f"customer,date,total\n{rows}")

    assert (report.new_orders, report.new_members, sum(report.tiers.values())) == (200, 11, 11)
    assert (again.new_orders, again.known_orders) == (0, 200)
    assert run_audit(at=NOON, checks=every_check()).is_clean


@pytest.mark.django_db(transaction=True)
def test_an_import_that_meets_somebody_elses_change_stops_in_a_sentence(take, monkeypatch):
    monkeypatch.setattr(staging, "BATCH_ORDERS", 2)
    shop = Source.objects.create(code="noon", name="Полдень")

    def take_a_number(stage, done, total):
        if stage == "Importing" and not Order.objects.filter(number="Z").exists():
            register_paid_order(source=shop, number="Z", total_sum=Decimal(5), paid_at=NOON)

    rows = "".join(f"A{number},{number},2026-01-{1 + number % 28:02d},5\n" for number in range(20))
    content = f"number,customer,date,total\n{rows}Z,99,2026-03-01,5\n"
    with pytest.raises(Interrupted) as refusal:
        take(content, NUMBERED, progress=take_a_number)
    assert str(refusal.value).startswith("The import was interrupted after ")

    report, bad_rows = take(content, NUMBERED, skip_bad_rows=True)
    assert report.new_orders + report.known_orders == 20
    assert refusals(bad_rows) == [(22, "number", "Z")]


def test_a_file_that_turns_out_wrong_in_the_middle_leaves_nothing(take, tmp_path):
    rows = "".join(f"{number},2026-01-01,5\n" for number in range(3_000))
    (tmp_path / "mixed.csv").write_bytes(
        f"customer,date,total\n{rows}".encode() + "Ольга,2026-01-01,5\n".encode("cp1251")
    )

    with pytest.raises(WrongEncoding):
        import_orders(
            path=tmp_path / "mixed.csv", mapping=ColumnMapping(source="noon", columns=COLUMNS), at=NOON
        )

    report, _bad_rows = take(LOG)
    assert report.new_orders == Order.objects.count() == 7


def test_friends_orders_bring_their_inviters_a_share_by_the_tier_of_that_day(take, ada, ben):
    publish_rule_set(
        rule_set=create_draft(
            tiers=[
                tier_spec("Basic", 0, "0.10", referral_rate=Decimal("0.01")),
                tier_spec("Silver", 500, "0.10", referral_rate=Decimal("0.05")),
            ]
        ),
        effective_at=LONG_AGO,
        published_at=NOON,
        reason="A test",
    )
    shop = Source.objects.create(code="noon", name="Полдень")
    for name, member in (("ada", ada), ("ben", ben)):
        Customer.objects.create(source=shop, external_id=name, member=member)
    attach_inviter(inviter=ada, invited=ben, since_at=datetime(2026, 1, 1, tzinfo=MOSCOW), how=How.LINK)
    content = "customer,date,total\nben,2026-02-03,100\nada,2026-02-02,500\nben,2026-02-01,100\n"

    foreseen, _bad_rows = take(content, is_dry_run=True)
    assert Reward.objects.count() == Order.objects.count() == 0

    report, _bad_rows = take(content)
    assert (
        (report.points, report.tiers) == (foreseen.points, foreseen.tiers) == (70, {"Basic": 1, "Silver": 1})
    )
    assert list(Reward.objects.order_by("rewarded_at").values_list("points", flat=True)) == [1, 5]
    assert balance_of(ada).available_points == 50 + 1 + 5


def test_orders_of_a_friend_who_joined_after_the_file_was_read_bring_a_share(take, ada, monkeypatch):
    """The shop has told whose number it is while other customers of the file were being written."""
    monkeypatch.setattr(staging, "BATCH_ORDERS", 1)
    publish(welcome_points=50, welcome_when="first_order")
    shop = Source.objects.create(code="noon", name="Полдень")
    click = click_on_link(ada, NOON - timedelta(days=5))

    def join_meanwhile(stage, done, total):
        if stage == "Importing" and not Referral.objects.exists():
            Customer.objects.create(source=shop, external_id="eve", member=join(click))

    take(
        "customer,date,total\nmax,2026-01-01,5\neve,2026-03-01,500\neve,2026-03-08,2000\n",
        progress=join_meanwhile,
    )

    referral = Referral.objects.get()
    assert (referral.orders_count, timezone.localdate(referral.first_bought_at)) == (1, date(2026, 3, 8))
    assert sorted(Reward.objects.values_list("kind", "points")) == [("share", 20), ("welcome", 50)]
    assert broken_promises() == set()


def test_the_command_names_the_option_that_helps(tmp_path):
    (tmp_path / "log.csv").write_text(LOG.replace(",", ";"))

    with pytest.raises(CommandError) as refusal:
        command(tmp_path / "log.csv", "--source", "noon", "--columns", "customer=1,paid_at=2,total=3")

    assert str(refusal.value) == (
        "With this separator the whole first row is one column: “customer;date;total”. "
        "Try --separator semicolon."
    )


def test_outlet_of_the_mapping_stands_where_a_row_names_none(tmp_path):
    path = tmp_path / "log.csv"
    path.write_text("customer,date,total,outlet\n1,2026-01-01,5,\n1,2026-01-02,5,Nevsky\n")
    mapping = ColumnMapping(source="noon", outlet="Site", columns={**COLUMNS, "outlet": "outlet"})

    import_orders(path=path, mapping=mapping, at=NOON)

    assert list(Order.objects.order_by("paid_at").values_list("outlet__name", flat=True)) == [
        "Site",
        "Nevsky",
    ]
