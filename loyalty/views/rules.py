"""The rules of the programme in plain words, for everybody."""

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from loyalty.queries.editions import edition_in_time
from loyalty.queries.rules import points_for, same_tier, tiers_of
from loyalty.queries.standing import standing_card
from loyalty.rules_wording import EXAMPLE_SUM, Group, difference_in_words, groups_in_words, rules_in_short

# They stand below the table of tiers, so that both columns are about as long.
LEFT_GROUPS = (Group.EARNING, Group.LIFE)


@require_safe
def show_rules(request: HttpRequest, number: int | None = None) -> HttpResponse:
    """The edition in force, or the one of a number: what it says, what it changed, and what comes next."""
    now = timezone.now()
    edition = edition_in_time(at=now, number=number)
    if edition is None:
        raise Http404
    rule_set = edition.rule_set
    tiers = tiers_of(rule_set)
    member = getattr(request.user, "member", None)
    own_tier = same_tier(rule_set, standing_card(member, now).tier) if member else None
    shown_tier = own_tier if edition.is_in_force else None
    example_tier = shown_tier or tiers[0]
    previous = edition.previous
    of_tiers, *groups = groups_in_words(rule_set)
    left = [group for group in groups if group.group in LEFT_GROUPS]
    right = [group for group in groups if group.group not in LEFT_GROUPS]
    context = {
        "edition": edition,
        "rule_set": rule_set,
        "tiers": tiers,
        "has_shares": any(tier.referral_rate for tier in tiers),
        "own_tier": shown_tier,
        "in_short": rules_in_short(rule_set, at=now, tier=shown_tier) if edition.is_in_force else [],
        "example_tier": example_tier,
        "example_sum": EXAMPLE_SUM,
        "example_points": points_for(rule_set, EXAMPLE_SUM, example_tier.coefficient),
        "of_tiers": of_tiers,
        "left": left,
        "right": right,
        "differences": difference_in_words(previous, rule_set, is_for_members=True) if previous else [],
        "upcoming": [
            (one, difference_in_words(before, one, is_for_members=True))
            for before, one in zip([rule_set, *edition.upcoming], edition.upcoming, strict=False)
        ]
        if edition.is_in_force
        else [],
    }
    return render(request, "loyalty/rules/rules.html", context)
