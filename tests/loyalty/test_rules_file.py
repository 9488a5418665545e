"""Publishing an edition from a file, by `manage.py publish_rules`."""

from decimal import Decimal
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from procrastinate.contrib.django.models import ProcrastinateJob

from loyalty.models import RuleSet
from loyalty.queries.rules import rule_set_in_force, tiers_of
from tests.clock import NOON

EXAMPLE = Path(__file__).parents[2] / "examples" / "cdnow" / "rules.toml"
TIER = '[[tiers]]\nname = "Basic"\nthreshold_sum = 0\ncoefficient = "0.05"\n'


@pytest.fixture
def rules_file(tmp_path, in_english):
    def written(text):
        path = tmp_path / "rules.toml"
        path.write_text(text, encoding="utf-8")
        return path

    return written


def test_publish_rules_publishes_the_example(db, capsys):
    call_command("publish_rules", EXAMPLE)

    edition = rule_set_in_force(NOON)
    assert edition.number == 2
    assert [(tier.name, tier.threshold_sum, tier.coefficient) for tier in tiers_of(edition)] == [
        ("Basic", 0, Decimal("0.03")),
        ("Silver", 50, Decimal("0.05")),
        ("Gold", 150, Decimal("0.07")),
        ("Platinum", 500, Decimal("0.10")),
    ]
    assert (edition.life_months, edition.life_end) == (12, "month")
    assert capsys.readouterr().out.splitlines() == [
        "Published edition 2, in force from 1997-01-01 00:00 on.",
        "0 members changed tier.",
    ]


def test_publish_rules_for_later_leaves_the_tiers_alone_until_then(db, rules_file, capsys):
    path = rules_file(f'reason = "Later"\nwaiting_days = 14\nexcluded_categories = ["gift cards"]\n{TIER}')

    call_command("publish_rules", path, effective_at="2100-01-01T10:30")

    edition = RuleSet.objects.get(number=2)
    assert (edition.waiting_days, edition.excluded_categories) == (14, ["gift cards"])
    assert "in force from 2100-01-01 10:30 on.\nTiers will be recounted" in capsys.readouterr().out
    job = ProcrastinateJob.objects.get()
    assert (job.task_name, job.scheduled_at) == ("loyalty.jobs.recount_everybody", edition.effective_at)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        (
            'colour = "red"',
            "“colour” is not a setting of the rules. Known here: crossing_order_earns_new_tier,",
        ),
        (f"{TIER}rate = 0.01", "“tiers[1].rate” is not a setting of the rules."),
        ('[[tiers]]\nname = "Basic"', "“tiers[1].threshold_sum” is missing."),
        ("tiers = 3", "“tiers” is not as expected: it should be one [[tiers]] table for each tier."),
        ("waiting_days = 1.5", "“waiting_days” is not as expected: it should be a whole number."),
        ("waiting_days = true", "“waiting_days” is not as expected: it should be a whole number."),
        ("transfers_allowed = 1", "“transfers_allowed” is not as expected: it should be true or false."),
        ('redemption_cap_rate = "20 %"', "“redemption_cap_rate” is not as expected: it should be a number"),
        ("redemption_cap_rate = nan", "“redemption_cap_rate” is not as expected: it should be a number"),
        ("rounding = 1", "“rounding” is not as expected: it should be text."),
        ('excluded_categories = "wine"', "“excluded_categories” is not as expected: it should be a list"),
        (
            'effective_at = "soon"',
            "“effective_at” is not as expected: it should be a date such as 2026-12-31.",
        ),
        ("reason = 1", "“reason” is not as expected: it should be text."),
        ("=", "The file is not valid TOML:"),
        ("", "tiers: The rules need at least one tier."),
        (TIER, "reason: Say in a few words why the rules change"),
        (f"{TIER}{TIER}", "tiers[2].name: Another tier has this name already."),
        (f'rounding = "sideways"\n{TIER}', "rounding: "),
    ],
)
def test_publish_rules_says_what_is_wrong_and_changes_nothing(db, rules_file, text, sentence):
    with pytest.raises(CommandError) as refusal:
        call_command("publish_rules", rules_file(text))

    assert str(refusal.value).startswith(sentence)
    assert RuleSet.objects.count() == 1


def test_publish_rules_says_which_file_cannot_be_read(db, tmp_path, in_english):
    with pytest.raises(CommandError, match=r"rules\.toml cannot be read: No such file"):
        call_command("publish_rules", tmp_path / "rules.toml")

    (tmp_path / "rules.toml").write_bytes("reason = «Правила»".encode("cp1251"))
    with pytest.raises(CommandError, match="not text in UTF-8"):
        call_command("publish_rules", tmp_path / "rules.toml")
