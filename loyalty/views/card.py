"""The member's card: the number as a code for the till's scanner, also without a connection.

The code holds the twelve digits and nothing else: it has the fewest and so the largest squares that way, and
a scanner, which types what it reads as a keyboard does, types digits alike whatever the keyboard's language.
"""

import hashlib
import json

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.template.loader import render_to_string
from django.templatetags.static import static
from django.urls import reverse
from django.utils import timezone
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.cache import cache_control
from django.views.decorators.http import require_safe

from accounts.access import own_member, signed_in_user
from accounts.models import Member
from accounts.numbers import format_member_number
from config.brand import Brand, brand
from loyalty.middleware import remember_kept_card
from loyalty.qr import qr_inline
from loyalty.queries.balance import balance
from loyalty.queries.standing import standing_card

# What the page that is kept is drawn with, besides what the brand adds; nothing else is kept.
KEPT_FILES = ("css/base.css", "css/card.css", "js/card.js")
BACKGROUND = "#ffffff"
ICONS = (
    ("img/icon-192.png", 192, "any"),
    ("img/icon-512.png", 512, "any"),
    ("img/icon-maskable-512.png", 512, "maskable"),
)


@require_safe
@login_required
def show_card(request: HttpRequest) -> HttpResponse:
    """The card with what changes: the tier and the points as they are at the moment."""
    member, now = own_member(request), timezone.now()
    context = {
        "member": member,
        "qr": _code_of(member),
        "balance": balance(account_id=member.pk, at=now),
        "tier": standing_card(member, now).tier,
    }
    return render(request, "loyalty/card.html", context)


@require_safe
@login_required
def show_full_card(request: HttpRequest) -> HttpResponse:
    """The card over the whole screen, with nothing on it that changes: browsers keep this page."""
    member = own_member(request)
    response = render(request, "loyalty/card/full.html", {"member": member, "qr": _code_of(member)})
    remember_kept_card(response, signed_in_user(request))
    return response


@require_safe
def show_manifest(request: HttpRequest) -> HttpResponse:
    """What a phone needs to put the card beside its apps."""
    own = brand()
    manifest = {
        "id": reverse("loyalty:card"),
        "start_url": reverse("loyalty:card"),
        "scope": reverse("loyalty:balance"),
        "name": _("%(programme_name)s: my card") % {"programme_name": own.name},
        "short_name": own.name,
        "lang": get_language(),
        "display": "standalone",
        "background_color": BACKGROUND,
        "theme_color": own.header_colours[0],
        "icons": _icons(own),
    }
    return JsonResponse(manifest, content_type="application/manifest+json")


@require_safe
@cache_control(no_cache=True)
def show_worker(request: HttpRequest) -> HttpResponse:
    """The script that keeps the card; it changes, and so replaces the one before, with what it keeps."""
    own = brand()
    files = [*(static(path) for path in KEPT_FILES), own.icon_url, own.stylesheet_url]
    kept = json.dumps({"page": reverse("loyalty:full_card"), "files": [file for file in files if file]})
    version = hashlib.sha256(kept.encode()).hexdigest()[:12]
    context = {"kept": mark_safe(kept), "version": version}  # noqa: S308, addresses of our own
    return HttpResponse(
        render_to_string("loyalty/card/service-worker.js", context),
        content_type="text/javascript; charset=utf-8",
        headers={"Service-Worker-Allowed": reverse("loyalty:card")},
    )


def _code_of(member: Member) -> SafeString:
    title = _("QR code of your number, %(number)s") % {"number": format_member_number(member.number)}
    return qr_inline(member.number, title=title)


def _icons(own: Brand) -> list[dict[str, str]]:
    """The brand's own picture, whatever its size, or the mark in the sizes that phones ask for."""
    if own.logo or own.accent:
        return [{"src": own.icon_url, "sizes": "any", "purpose": "any"}]
    return [
        {"src": static(path), "sizes": f"{size}x{size}", "type": "image/png", "purpose": purpose}
        for path, size, purpose in ICONS
    ]
