"""What the shops and tills sent: orders, their lines, and every step of their lives."""

from decimal import Decimal
from typing import ClassVar

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now, Upper
from django.utils.translation import gettext_lazy as _
from phonenumber_field.modelfields import PhoneNumberField

from accounts.models import Member, User
from loyalty.models import RuleSet, Tier


class Source(models.Model):
    """A system that sends orders: a shop, a till, a file. Order numbers are unique within it.

    A sandbox is for trying things out: it has members of its own, and never meets live ones.
    """

    code = models.SlugField(max_length=50, unique=True)
    name = models.CharField(max_length=100)
    is_sandbox = models.BooleanField(default=False, db_default=False)

    def __str__(self) -> str:
        return self.name


class Outlet(models.Model):
    """The shop, branch or site an order came from. A closed one takes no new sales of staff."""

    source = models.ForeignKey(Source, on_delete=models.PROTECT, related_name="outlets")
    code = models.SlugField(max_length=50)
    name = models.CharField(max_length=100)
    closed_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["source", "code"], name="outlet_has_its_code"),
        ]

    def __str__(self) -> str:
        return self.name


class Customer(models.Model):
    """Who a source's own customer id belongs to."""

    source = models.ForeignKey(Source, on_delete=models.PROTECT, related_name="customers")
    external_id = models.CharField(max_length=100)
    member = models.ForeignKey(Member, on_delete=models.PROTECT, related_name="customers")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["source", "external_id"], name="customer_is_one_member"),
        ]

    def __str__(self) -> str:
        return self.external_id


class Order(models.Model):
    """An order and the sums that stand on it now.

    `total_sum` is what the goods and the delivery cost together. The figures of the earning are
    fixed when the order is paid: edition, tier, coefficient; a refund counts with the same ones.
    """

    class Status(models.TextChoices):
        NEW = "new", _("not paid")
        PAID = "paid", _("paid")
        PARTLY_REFUNDED = "partly_refunded", _("partly returned")
        REFUNDED = "refunded", _("returned")
        CANCELLED = "cancelled", _("cancelled")

    source = models.ForeignKey(Source, on_delete=models.PROTECT, related_name="orders")
    number = models.CharField(max_length=100)
    outlet = models.ForeignKey(Outlet, on_delete=models.PROTECT, null=True, blank=True, related_name="orders")
    member = models.ForeignKey(Member, on_delete=models.PROTECT, null=True, blank=True, related_name="orders")
    # Whose order it is, while there is no such member: they may join later.
    customer_email = models.EmailField(null=True, blank=True)
    customer_phone = PhoneNumberField(null=True, blank=True)

    status = models.CharField(max_length=15, choices=Status, default=Status.NEW)
    placed_at = models.DateTimeField()
    paid_at = models.DateTimeField(null=True, blank=True)
    payments_count = models.PositiveIntegerField(default=0)

    total_sum = models.DecimalField(max_digits=14, decimal_places=2)
    delivery_sum = models.DecimalField(max_digits=14, decimal_places=2, default=Decimal(0))
    refunded_sum = models.DecimalField(max_digits=14, decimal_places=2, default=Decimal(0))
    refunded_delivery_sum = models.DecimalField(max_digits=14, decimal_places=2, default=Decimal(0))

    held_points = models.PositiveBigIntegerField(default=0)
    spent_points = models.PositiveBigIntegerField(default=0)
    given_back_points = models.PositiveBigIntegerField(default=0)
    earned_points = models.PositiveBigIntegerField(default=0)
    taken_back_points = models.PositiveBigIntegerField(default=0)

    rule_set = models.ForeignKey(RuleSet, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    tier = models.ForeignKey(Tier, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    coefficient = models.DecimalField(max_digits=6, decimal_places=4, null=True, blank=True)
    # When the transaction began that last wrote this row; a trigger sets it, whoever writes.
    changed_at = models.DateTimeField(db_default=Now(), editable=False)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["source", "number"], name="order_number_is_unique_per_source"),
            models.CheckConstraint(
                condition=Q(delivery_sum__gte=0, total_sum__gte=F("delivery_sum")), name="order_sums_add_up"
            ),
            models.CheckConstraint(
                condition=Q(
                    refunded_sum__gte=0,
                    refunded_sum__lte=F("total_sum"),
                    refunded_delivery_sum__gte=0,
                    refunded_delivery_sum__lte=F("delivery_sum"),
                ),
                name="order_is_refunded_once",
            ),
            models.CheckConstraint(
                condition=Q(given_back_points__lte=F("spent_points"))
                & Q(taken_back_points__lte=F("earned_points")),
                name="order_points_return_once",
            ),
        ]
        indexes = [
            models.Index(fields=["member", "-placed_at", "-id"], name="order_by_member"),
            models.Index(fields=["source", "changed_at", "id"], name="order_by_change"),
            # The overview counts and adds up what it reads from here alone.
            models.Index(
                fields=["placed_at", "id"],
                include=["member", "status", "source", "total_sum", "refunded_sum"],
                name="order_by_time",
            ),
            models.Index(Upper("number"), name="order_by_number"),
            models.Index(fields=["customer_email"], condition=Q(member=None), name="order_waiting_by_email"),
            models.Index(fields=["customer_phone"], condition=Q(member=None), name="order_waiting_by_phone"),
        ]

    def __str__(self) -> str:
        return self.number


class OrderLine(models.Model):
    """One item of an order. `line_sum` is what all its units cost together."""

    order = models.ForeignKey(Order, on_delete=models.CASCADE, related_name="lines")
    position = models.PositiveSmallIntegerField()
    name = models.CharField(max_length=200)
    category = models.CharField(max_length=100, blank=True)
    quantity = models.DecimalField(max_digits=10, decimal_places=3, default=Decimal(1))
    line_sum = models.DecimalField(max_digits=14, decimal_places=2)
    refunded_sum = models.DecimalField(max_digits=14, decimal_places=2, default=Decimal(0))

    class Meta:
        ordering: ClassVar[list[str]] = ["order", "position"]
        constraints = [
            models.UniqueConstraint(fields=["order", "position"], name="order_line_has_its_place"),
            models.CheckConstraint(
                condition=Q(
                    line_sum__gte=0, refunded_sum__gte=0, refunded_sum__lte=F("line_sum"), quantity__gt=0
                ),
                name="order_line_is_refunded_once",
            ),
        ]

    def __str__(self) -> str:
        return self.name


class OrderStep(models.Model):
    """One step of an order's life, kept with the key it was asked under; rows are only added.

    A step that arrives again under its key is answered from here.
    """

    class Kind(models.TextChoices):
        PLACED = "placed", _("Placed")
        POINTS_ADDED = "points_added", _("Points set aside")
        POINTS_REMOVED = "points_removed", _("Points taken off the order")
        PAID = "paid", _("Paid")
        REFUNDED = "refunded", _("Returned")
        CANCELLED = "cancelled", _("Cancelled")

    order = models.ForeignKey(Order, on_delete=models.CASCADE, related_name="steps")
    kind = models.CharField(max_length=15, choices=Kind)
    key = models.UUIDField(unique=True)
    request = models.JSONField(help_text="What was asked for: the same key with anything else is an error.")
    happened_at = models.DateTimeField()
    recorded_at = models.DateTimeField()
    actor_id = models.BigIntegerField(null=True)
    # The money and points that this step moved; `held_points` is what it set aside for the order.
    money_sum = models.DecimalField(max_digits=14, decimal_places=2, default=Decimal(0))
    earned_points = models.BigIntegerField(default=0)
    spent_points = models.BigIntegerField(default=0)
    held_points = models.BigIntegerField(default=0, db_default=0)

    class Meta:
        db_table = "orders_order_step"
        ordering: ClassVar[list[str]] = ["id"]

    def __str__(self) -> str:
        return f"{self.kind} {self.order_id}"


class Opinion(models.Model):
    """How likely a member is to recommend the programme, from 0 to 10, or that they did not want to say.

    The answer of somebody who is no longer known stays as a number.
    """

    member = models.ForeignKey(
        Member, on_delete=models.SET_NULL, null=True, blank=True, related_name="opinions"
    )
    score = models.PositiveSmallIntegerField(
        null=True, blank=True, help_text="Empty: the question was skipped."
    )
    given_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(score=None) | Q(score__lte=10), name="opinion_is_up_to_ten"),
        ]
        indexes = [
            models.Index(fields=["member", "-given_at"], name="opinion_by_member"),
            models.Index(fields=["given_at"], condition=Q(score__isnull=False), name="opinion_by_time"),
        ]

    def __str__(self) -> str:
        return f"{self.score} of {self.member_id}"


class Scope(models.TextChoices):
    """What a key may be used for."""

    MEMBERS_READ = "members:read", _("find members")
    MEMBERS_WRITE = "members:write", _("register members")
    POINTS_READ = "points:read", _("read balances and operations")
    ORDERS_READ = "orders:read", _("read and quote orders")
    ORDERS_WRITE = "orders:write", _("place, pay, refund and cancel orders")
    TRANSFERS_WRITE = "transfers:write", _("give members' points to other members")


class ApiKey(models.Model):
    """What a source proves itself with: `public_id` finds it, and of the secret only a hash is kept.

    A key is rotated by making the next one while the old one still works for a while.
    """

    source = models.ForeignKey(Source, on_delete=models.PROTECT, related_name="api_keys")
    name = models.CharField(max_length=100, help_text="Where it is used, such as “online shop”.")
    public_id = models.CharField(max_length=16, unique=True)
    secret_hash = models.CharField(max_length=64)
    scopes = ArrayField(models.CharField(max_length=20, choices=Scope))
    requests_a_minute = models.PositiveIntegerField()
    created_at = models.DateTimeField()
    created_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    replaces = models.OneToOneField(
        "self", on_delete=models.PROTECT, null=True, blank=True, related_name="replaced_by"
    )
    expires_at = models.DateTimeField(null=True, blank=True)
    revoked_at = models.DateTimeField(null=True, blank=True)
    last_used_at = models.DateTimeField(null=True, blank=True)
    # Requests have their places in time, evenly spaced; this is the first one that is still free.
    next_place_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        db_table = "orders_api_key"
        constraints = [
            models.CheckConstraint(condition=Q(requests_a_minute__gt=0), name="api_key_allows_requests"),
        ]

    def __str__(self) -> str:
        return f"{self.name} ({self.public_id})"


class ApiRequest(models.Model):
    """What a source asked for under one `Idempotency-Key`, and the answer; rows are only added."""

    source = models.ForeignKey(Source, on_delete=models.PROTECT, related_name="+")
    key = models.CharField(max_length=255)
    content_hash = models.CharField(max_length=64, help_text="Of method, address and body.")
    status = models.PositiveSmallIntegerField()
    answer = models.TextField(help_text="As it was sent, to the letter.")
    recorded_at = models.DateTimeField()

    class Meta:
        db_table = "orders_api_request"
        constraints = [
            models.UniqueConstraint(fields=["source", "key"], name="api_request_has_one_answer"),
        ]

    def __str__(self) -> str:
        return self.key
