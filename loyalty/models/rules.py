"""Everything a supervisor can set, in numbered editions that never change once published."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import ClassVar

from django.contrib.postgres.fields import ArrayField
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from accounts.facts import in_both, in_language
from accounts.models import User

# The moment of the first edition, which holds for orders of whatever age.
ALWAYS = datetime(1970, 1, 1, tzinfo=UTC)
SHARE = [MinValueValidator(Decimal(0)), MaxValueValidator(Decimal(1))]


class RuleSet(models.Model):
    """One edition of the programme's rules.

    The edition in force at a moment is the last published one that took effect by then; every
    earning names its edition.
    """

    class TierLowering(models.TextChoices):
        AT_ONCE = "at_once", _("at once")
        DOWN_TO_FLOOR = "down_to_floor", _("never below the tier that was set by hand")

    class Rounding(models.TextChoices):
        DOWN = "down", _("down")
        HALF_UP = "half_up", _("to the nearest, a half up")
        UP = "up", _("up")

    class LifeEnd(models.TextChoices):
        DAY = "day", _("to the day")
        MONTH = "month", _("to the end of the month")
        YEAR = "year", _("to the end of the year")
        NEVER = "never", _("points never expire")

    class WelcomeWhen(models.TextChoices):
        SIGN_UP = "sign_up", _("at sign-up")
        FIRST_ORDER = "first_order", _("with the first paid order")

    number = models.PositiveIntegerField(_("edition"), unique=True, null=True, blank=True)
    effective_at = models.DateTimeField(null=True, blank=True)
    published_at = models.DateTimeField(null=True, blank=True)
    published_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    reason = models.CharField(max_length=500, blank=True)
    # An edition that has not taken effect yet may be withdrawn; it then never does.
    withdrawn_at = models.DateTimeField(null=True, blank=True)
    withdrawn_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, blank=True, related_name="+")

    # Where a draft comes from, and how often it was changed: whoever saves it names what they had read.
    copied_from = models.ForeignKey(
        "self", on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )
    drafted_at = models.DateTimeField(null=True, blank=True)
    drafted_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    revision = models.PositiveIntegerField(default=1, db_default=1)

    paid_sum_months = models.PositiveSmallIntegerField(
        null=True, blank=True, help_text="Orders of the last N months decide the tier; empty: all time."
    )
    crossing_order_earns_new_tier = models.BooleanField(default=True)
    tier_lowering = models.CharField(max_length=15, choices=TierLowering, default=TierLowering.DOWN_TO_FLOOR)

    rounding = models.CharField(max_length=10, choices=Rounding, default=Rounding.DOWN)
    earns_on_points_part = models.BooleanField(default=False)
    earns_on_delivery = models.BooleanField(default=False)
    excluded_categories = ArrayField(models.CharField(max_length=100), default=list, blank=True)

    redemption_cap_rate = models.DecimalField(
        max_digits=5, decimal_places=4, default=Decimal(1), validators=SHARE
    )
    redemption_minimum_points = models.PositiveIntegerField(default=0)

    waiting_days = models.PositiveSmallIntegerField(default=0)
    life_months = models.PositiveSmallIntegerField(default=12)
    life_end = models.CharField(max_length=10, choices=LifeEnd, default=LifeEnd.MONTH)

    transfers_allowed = models.BooleanField(default=True)
    transfer_minimum_points = models.PositiveIntegerField(default=1)
    transfer_limit_points = models.PositiveIntegerField(null=True, blank=True)
    transfer_day_limit_points = models.PositiveIntegerField(null=True, blank=True)
    transfer_month_limit_points = models.PositiveIntegerField(null=True, blank=True)
    transfer_received_day_limit_points = models.PositiveIntegerField(null=True, blank=True)
    transfer_received_month_limit_points = models.PositiveIntegerField(null=True, blank=True)
    transfer_step_up_points = models.PositiveIntegerField(
        null=True, blank=True, help_text="More than these ask for the password again; empty: no sum does."
    )
    transfer_member_days = models.PositiveSmallIntegerField(default=0)
    transfer_cooling_hours = models.PositiveSmallIntegerField(default=0)

    referral_months = models.PositiveSmallIntegerField(null=True, blank=True)
    referral_orders = models.PositiveSmallIntegerField(null=True, blank=True)
    referral_least_sum = models.DecimalField(
        max_digits=14, decimal_places=2, default=Decimal(0), validators=[MinValueValidator(Decimal(0))]
    )
    referral_waiting_days = models.PositiveSmallIntegerField(
        null=True, blank=True, help_text="Empty: as long as earned points wait."
    )
    referral_month_limit_points = models.PositiveIntegerField(null=True, blank=True)
    welcome_points = models.PositiveIntegerField(default=0)
    welcome_when = models.CharField(max_length=15, choices=WelcomeWhen, default=WelcomeWhen.SIGN_UP)

    class Meta:
        db_table = "loyalty_rule_set"
        constraints = [
            models.CheckConstraint(
                condition=Q(number=None, effective_at=None, published_at=None)
                | Q(number__isnull=False, effective_at__isnull=False, published_at__isnull=False),
                name="rule_set_is_draft_or_published",
            ),
            models.CheckConstraint(
                condition=Q(withdrawn_at=None) | Q(withdrawn_at__lt=models.F("effective_at")),
                name="rule_set_is_withdrawn_before_it_takes_effect",
            ),
            models.CheckConstraint(
                condition=Q(redemption_cap_rate__gte=0, redemption_cap_rate__lte=1),
                name="rule_set_cap_is_a_share",
            ),
            models.CheckConstraint(
                condition=Q(life_months__gt=0) | ~Q(life_end="day"), name="rule_set_points_live"
            ),
            models.CheckConstraint(
                condition=Q(paid_sum_months=None) | Q(paid_sum_months__gt=0),
                name="rule_set_paid_sum_has_a_period",
            ),
        ]

    def __str__(self) -> str:
        return f"edition {self.number}" if self.number else f"draft {self.pk}"

    @property
    def is_from_beginning(self) -> bool:
        """Whether no rules were before it: its moment is no day that says anything to people."""
        return self.effective_at == ALWAYS


class Tier(models.Model):
    """A step of the programme: from which paid sum on, and what it gives.

    Its name says which tier it is, in every edition; the English texts, where there are any, are for
    people who read English.
    """

    rule_set = models.ForeignKey(RuleSet, on_delete=models.CASCADE, related_name="tiers")
    position = models.PositiveSmallIntegerField(help_text="0 is the lowest.")
    name = models.CharField(max_length=50)
    name_en = models.CharField(max_length=50, blank=True, default="", db_default="")
    threshold_sum = models.DecimalField(max_digits=14, decimal_places=2)
    coefficient = models.DecimalField(max_digits=6, decimal_places=4)
    referral_rate = models.DecimalField(max_digits=6, decimal_places=4)
    redemption_cap_rate = models.DecimalField(
        max_digits=5, decimal_places=4, null=True, blank=True, validators=SHARE
    )
    colour = models.CharField(max_length=20, blank=True)
    gives = models.TextField(blank=True, help_text="What the tier gives, in words.")
    gives_en = models.TextField(blank=True, default="", db_default="")

    class Meta:
        ordering: ClassVar[list[str]] = ["rule_set", "position"]
        constraints = [
            models.UniqueConstraint(fields=["rule_set", "position"], name="tier_has_its_place"),
            models.UniqueConstraint(fields=["rule_set", "threshold_sum"], name="tier_has_its_threshold"),
            models.UniqueConstraint(fields=["rule_set", "name"], name="tier_has_its_name"),
            models.UniqueConstraint(
                fields=["rule_set", "name_en"], condition=~Q(name_en=""), name="tier_has_its_english_name"
            ),
            models.CheckConstraint(
                condition=Q(position=0, threshold_sum=0) | Q(position__gt=0, threshold_sum__gt=0),
                name="tier_begins_at_zero",
            ),
            models.CheckConstraint(
                condition=Q(coefficient__gte=0, referral_rate__gte=0), name="tier_takes_nothing_away"
            ),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def shown_name(self) -> str:
        """The name in the active language."""
        return in_language(self.name, self.name_en)

    @property
    def shown_gives(self) -> str:
        """What the tier gives, in the active language."""
        return in_language(self.gives, self.gives_en)

    def words(self, key: str = "tier") -> dict[str, str]:
        """The tier as facts that are kept name it: `accounts.facts.worded` reads them."""
        return in_both(key, self.name, self.name_en)
