"""The living page of the visual language: every component in every state."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from accounts.access import role_required
from accounts.roles import Role
from config.brand import brand
from loyalty.charts import Group, bars_chart, rows_chart
from supervisor import styles
from supervisor.forms.styleguide import sample_form

EARNED, SPENT = (120, 80, 240, 60, 180, 210), (40, 0, 90, 120, 30, 160)


@require_safe
@role_required(Role.STAFF)
def show_styleguide(request: HttpRequest) -> HttpResponse:
    """Colours, type, space and components, drawn with what every page is drawn with."""
    groups = [
        Group(str(number), two, [str(one) for one in two], is_unfinished=False)
        for number, two in enumerate(zip(EARNED, SPENT, strict=True), start=1)
    ]
    context = {
        "pairs": styles.pairs_of(brand()),
        "type_steps": styles.TYPE_STEPS,
        "spaces": styles.SPACES,
        "icons": styles.icons(),
        "sample_tiers": styles.SAMPLE_TIERS,
        "form": sample_form(),
        "kept_form": styles.kept_form(),
        "page": styles.SamplePage(),
        "bars": bars_chart(groups, series=["A", "B"]),
        "rows": rows_chart([("A", 240, ""), ("B", 90, ""), ("C", 30, "")]),
        "strip": styles.strip(),
        "stops": styles.STOPS,
    }
    return render(request, "supervisor/styleguide.html", context)
