"""The ledger as Python reads it. Only the SQL functions of `loyalty/sql` write these tables.

Every table but `LedgerAudit` refuses INSERT, UPDATE and DELETE that do not come from those
functions, whoever sends them. There are no foreign keys on the rows that postings touch: checking
them would lock the rows they point at; `manage.py audit_ledger` looks for dangling ones instead.
"""

from datetime import UTC, datetime

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

# The programme's own accounts, by their fixed ids. A member's account has the member's id.
ISSUED_ACCOUNT_ID = -1
SPENT_ACCOUNT_ID = -2
EXPIRED_ACCOUNT_ID = -3
ADJUSTED_ACCOUNT_ID = -4
# When pending points become available of which a person has yet to say whether they do.
UNDECIDED_AT = datetime(9999, 1, 1, tzinfo=UTC)


class Bucket(models.TextChoices):
    """The four parts of a member's account."""

    AVAILABLE = "available", _("available")
    PENDING = "pending", _("pending")
    HELD = "held", _("set aside")
    DEBT = "debt", _("debt")


class Fund(models.TextChoices):
    """Whose money stands behind points."""

    PURCHASES = "purchases", _("purchases")
    PROMOTIONS = "promotions", _("promotions")
    PARTNERS = "partners", _("partners")


class Purpose(models.TextChoices):
    """What a posting was made for, where its kind alone does not say so."""

    ORDER = "order", _("order")
    REFERRAL = "referral", _("a friend's order")
    WELCOME = "welcome", _("welcome points")
    GIFT = "gift", _("gift")
    CORRECTION = "correction", _("correction")


class Cause(models.TextChoices):
    """Why a colleague corrected a balance, as the posting's explanation names it."""

    GOODWILL = "goodwill", _("A gesture of goodwill")
    COMPLAINT = "complaint", _("A complaint")
    MISTAKE = "mistake", _("A mistake put right")
    LOST_ORDER = "lost_order", _("An order that was not counted")
    PROMOTION = "promotion", _("A promotion")
    OTHER = "other", _("Another reason")


class PointsAccount(models.Model):
    """The points of one member, or one of the programme's own accounts (ids below 0).

    A member's row is the one lock of everything that happens to their points. The programme's
    own rows are never locked and never changed: their sums are added up when somebody asks.
    """

    id = models.BigIntegerField(primary_key=True)
    available_points = models.BigIntegerField(db_default=0)
    pending_points = models.BigIntegerField(db_default=0)
    held_points = models.BigIntegerField(db_default=0)
    debt_points = models.BigIntegerField(db_default=0)
    version = models.BigIntegerField(db_default=0)
    last_recorded_at = models.DateTimeField(null=True)
    is_blocked = models.BooleanField(db_default=False)

    class Meta:
        db_table = "loyalty_points_account"
        constraints = [
            models.CheckConstraint(
                condition=Q(
                    available_points__gte=0, pending_points__gte=0, held_points__gte=0, debt_points__gte=0
                ),
                name="points_account_is_never_below_zero",
            ),
            models.CheckConstraint(
                condition=Q(debt_points=0) | Q(available_points=0),
                name="points_account_settles_debt_first",
            ),
            models.CheckConstraint(
                condition=Q(id__gt=0) | Q(version=0), name="points_account_of_programme_is_summed"
            ),
        ]

    def __str__(self) -> str:
        return f"account {self.pk}"


class Posting(models.Model):
    """One indivisible movement of points: what happened, when, why, and by whom."""

    class Kind(models.TextChoices):
        CREDIT = "credit", _("Credited")
        MATURE = "mature", _("Became available")
        SPEND = "spend", _("Spent")
        HOLD = "hold", _("Set aside")
        CAPTURE = "capture", _("Spent")
        RELEASE = "release", _("Released")
        GIVE_BACK = "give_back", _("Given back")
        TAKE_BACK = "take_back", _("Taken back")
        EXPIRE = "expire", _("Expired")
        TRANSFER = "transfer", _("Transferred")
        ADJUST = "adjust", _("Adjusted")
        REVERSE = "reverse", _("Reversed")

    id = models.BigAutoField(primary_key=True)
    kind = models.CharField(max_length=10, choices=Kind)
    effective_at = models.DateTimeField()
    recorded_at = models.DateTimeField()
    origin_id = models.BigIntegerField(
        null=True, help_text="The posting that this one goes on with (a hold's capture) or reverses."
    )
    purpose = models.CharField(max_length=10, choices=Purpose, blank=True, db_default="")
    order_id = models.BigIntegerField(null=True)
    rule_set_id = models.BigIntegerField(null=True)
    actor_id = models.BigIntegerField(null=True, help_text="The user who did it; empty for the programme.")
    explanation = models.JSONField(db_default={}, help_text="The figures behind the number of points.")

    class Meta:
        db_table = "loyalty_posting"
        indexes = [
            models.Index(fields=["origin_id"], condition=Q(origin_id__isnull=False), name="posting_origin"),
            models.Index(fields=["order_id"], condition=Q(order_id__isnull=False), name="posting_order"),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["origin_id"], condition=Q(kind="reverse"), name="posting_is_reversed_once"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.pk}"


class Entry(models.Model):
    """One account's part of a posting: what moved, and the account as it stood afterwards.

    A member's entries are numbered without gaps by `version`, so that a statement, a past moment
    or a chain of hashes needs nothing else. The programme's own entries have neither.
    """

    pk = models.CompositePrimaryKey("posting_id", "line")
    posting_id = models.BigIntegerField()
    line = models.SmallIntegerField()
    account_id = models.BigIntegerField()
    bucket = models.CharField(max_length=9, choices=Bucket)
    lot_id = models.BigIntegerField(null=True)
    points = models.BigIntegerField()
    version = models.BigIntegerField(null=True)
    available_after_points = models.BigIntegerField(null=True)
    pending_after_points = models.BigIntegerField(null=True)
    held_after_points = models.BigIntegerField(null=True)
    debt_after_points = models.BigIntegerField(null=True)
    recorded_at = models.DateTimeField()

    class Meta:
        db_table = "loyalty_entry"
        constraints = [
            models.CheckConstraint(condition=~Q(points=0), name="entry_moves_points"),
            models.UniqueConstraint(fields=["account_id", "version"], name="entry_has_its_turn"),
            models.CheckConstraint(
                condition=Q(account_id__lt=0, version=None)
                | Q(
                    account_id__gt=0,
                    version__isnull=False,
                    available_after_points__isnull=False,
                    pending_after_points__isnull=False,
                    held_after_points__isnull=False,
                    debt_after_points__isnull=False,
                ),
                name="entry_of_member_carries_balance",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.posting_id}/{self.line}"


class Lot(models.Model):
    """The points of one account that expire on one day and come from one fund.

    They are usable through the end of `expires_on` in the programme's time zone; without a day
    they never expire. `points` is what is left, `held_points` the part that holds have set aside.
    """

    id = models.BigAutoField(primary_key=True)
    account_id = models.BigIntegerField()
    expires_on = models.DateField(null=True)
    fund = models.CharField(max_length=10, choices=Fund)
    points = models.BigIntegerField(db_default=0)
    held_points = models.BigIntegerField(db_default=0)
    is_open = models.GeneratedField(
        expression=Q(points__gt=0),  # type: ignore[arg-type]  # a condition is an expression
        output_field=models.BooleanField(),
        db_persist=True,
    )

    class Meta:
        db_table = "loyalty_lot"
        constraints = [
            models.CheckConstraint(
                condition=Q(held_points__gte=0, points__gte=F("held_points")), name="lot_holds_what_it_has"
            ),
            models.UniqueConstraint(
                fields=["account_id", "expires_on", "fund"], nulls_distinct=False, name="lot_is_one_per_day"
            ),
        ]
        indexes = [
            models.Index(fields=["expires_on"], condition=Q(is_open=True), name="lot_due"),
        ]

    def __str__(self) -> str:
        return f"lot {self.pk}"


class Credit(models.Model):
    """Points that a member was credited with, and what has become of them since."""

    posting_id = models.BigIntegerField(primary_key=True)
    account_id = models.BigIntegerField()
    points = models.BigIntegerField()
    taken_back_points = models.BigIntegerField(db_default=0)
    fund = models.CharField(max_length=10, choices=Fund)
    available_at = models.DateTimeField()
    expires_on = models.DateField(null=True)
    matured_at = models.DateTimeField(null=True, help_text="Empty while the points are pending.")

    class Meta:
        db_table = "loyalty_credit"
        constraints = [
            models.CheckConstraint(
                condition=Q(points__gt=0, taken_back_points__gte=0, taken_back_points__lte=F("points")),
                name="credit_is_taken_back_once",
            ),
        ]
        indexes = [
            models.Index(
                fields=["account_id", "available_at"], condition=Q(matured_at=None), name="credit_pending"
            ),
            models.Index(fields=["available_at"], condition=Q(matured_at=None), name="credit_due"),
        ]

    def __str__(self) -> str:
        return f"credit {self.posting_id}"


class Hold(models.Model):
    """Points set aside for an order that is not paid yet."""

    posting_id = models.BigIntegerField(primary_key=True)
    account_id = models.BigIntegerField()
    points = models.BigIntegerField()
    captured_points = models.BigIntegerField(db_default=0)
    released_points = models.BigIntegerField(db_default=0)
    expires_at = models.DateTimeField()
    is_open = models.GeneratedField(
        expression=Q(points__gt=F("captured_points") + F("released_points")),  # type: ignore[arg-type]
        output_field=models.BooleanField(),
        db_persist=True,
    )

    class Meta:
        db_table = "loyalty_hold"
        constraints = [
            models.CheckConstraint(
                condition=Q(
                    points__gt=0,
                    captured_points__gte=0,
                    released_points__gte=0,
                    points__gte=F("captured_points") + F("released_points"),
                ),
                name="hold_is_settled_once",
            ),
        ]
        indexes = [
            models.Index(fields=["account_id", "expires_at"], condition=Q(is_open=True), name="hold_open"),
            models.Index(fields=["expires_at"], condition=Q(is_open=True), name="hold_due"),
        ]

    def __str__(self) -> str:
        return f"hold {self.posting_id}"


class Spending(models.Model):
    """Points that paid for something, and how many of them were given back since."""

    posting_id = models.BigIntegerField(primary_key=True)
    account_id = models.BigIntegerField()
    points = models.BigIntegerField()
    given_back_points = models.BigIntegerField(db_default=0)

    class Meta:
        db_table = "loyalty_spending"
        constraints = [
            models.CheckConstraint(
                condition=Q(points__gt=0, given_back_points__gte=0, given_back_points__lte=F("points")),
                name="spending_is_given_back_once",
            ),
        ]

    def __str__(self) -> str:
        return f"spending {self.posting_id}"


class Request(models.Model):
    """What was asked for under one key, and the answer: done (a posting) or refused, and why."""

    key = models.UUIDField(primary_key=True)
    request = models.CharField(max_length=200)
    posting_id = models.BigIntegerField(null=True)
    refusal = models.CharField(max_length=30, blank=True, db_default="")
    limit_points = models.BigIntegerField(null=True)
    recorded_at = models.DateTimeField()

    class Meta:
        db_table = "loyalty_request"
        constraints = [
            models.CheckConstraint(
                condition=Q(posting_id__isnull=False, refusal="") | (Q(posting_id=None) & ~Q(refusal="")),
                name="request_is_done_or_refused",
            ),
        ]

    def __str__(self) -> str:
        return str(self.key)


class LedgerAudit(models.Model):
    """One run of the ledger's audit and what it found."""

    ran_at = models.DateTimeField()
    duration_seconds = models.FloatField()
    rows_count = models.BigIntegerField()
    findings = models.JSONField(help_text="Each check: promise, name, rows looked at, rows found.")

    class Meta:
        db_table = "loyalty_ledger_audit"

    def __str__(self) -> str:
        return f"audit of {self.ran_at:%Y-%m-%d %H:%M}"

    @property
    def is_clean(self) -> bool:
        """Whether every promise held."""
        return not any(finding["found_count"] for finding in self.findings)
