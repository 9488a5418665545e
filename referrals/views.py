"""The page from which a member invites friends, and the page that a friend arrives at."""

from enum import StrEnum
from uuid import uuid4

from allauth.core import ratelimit
from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.cache import add_never_cache_headers
from django.utils.http import content_disposition_header
from django.utils.text import slugify
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST, require_safe

from accounts.access import own_member
from loyalty.cursors import number_of
from loyalty.qr import qr_file, qr_inline
from loyalty.queries.rules import rule_set_in_force, tiers_of
from loyalty.queries.standing import standing_card
from referrals import offers, queries, services, wording
from referrals.cookies import read_click, set_click
from referrals.models import InviteCode
from referrals.queries.numbering import number_of_invitation
from referrals.services import Click

FILE_TYPES = {"png": "image/png", "svg": "image/svg+xml"}


class Arrival(StrEnum):
    """Who stands before the landing page, and what the link can still do for them."""

    WELCOME = "welcome"
    UNKNOWN = "unknown"
    ENDED = "ended"
    OWN = "own"
    MEMBER = "member"
    COLLEAGUE = "colleague"


@require_safe
@login_required
def show_invite(request: HttpRequest) -> HttpResponse:
    """The link and all that it brings; a place beyond the list leads to its beginning."""
    member, now = own_member(request), timezone.now()
    before, after = (number_of(request.GET.get(name)) for name in ("before", "after"))
    page = queries.invitations_page(member=member, at=now, before=before, after=after)
    if request.GET and not page.rows:
        return redirect("referrals:invite")
    code = services.code_of(member=member, at=now)
    last_number = number_of_invitation(member, page.rows[0].invitation_id) if page.rows else 0
    rule_set, totals = rule_set_in_force(now), queries.totals(member, now)
    link, text = offers.link_of(code), offers.share_text(rule_set)
    friends = [
        wording.friend_row(row, last_number - place, least_sum=rule_set.referral_least_sum)
        for place, row in enumerate(page.rows)
    ]
    context = {
        "member": member,
        "code": code,
        "link": link,
        "qr": qr_inline(link, title=_("QR code of your link")),
        "share_text": text,
        "share_links": offers.share_links(link, text),
        "rule_set": rule_set,
        "offer": offers.inviter_offer(rule_set, standing_card(member, now).tier),
        "totals": totals,
        "funnel": wording.funnel(totals),
        "page": page,
        "friends": friends,
        "visits": [friend for friend in friends if friend.is_visit],
    }
    return render(request, "referrals/invite.html", context)


@require_GET
@login_required
def download_qr(request: HttpRequest, file_format: str) -> HttpResponse:
    """The code of the link as a file to print or to send."""
    code = services.code_of(member=own_member(request), at=timezone.now())
    name = slugify(f"{settings.PROGRAMME_NAME}-{code.code}") or code.code
    return HttpResponse(
        qr_file(offers.link_of(code), file_format),
        content_type=FILE_TYPES[file_format],
        headers={
            "Content-Disposition": content_disposition_header(
                as_attachment=True, filename=f"{name}.{file_format}"
            )
            or "attachment"
        },
    )


@require_POST
@login_required
def change_shown_name(request: HttpRequest) -> HttpResponse:
    """Whether friends see the inviter's first name."""
    shows_name = request.POST.get("shows_name") == "true"
    services.show_name(member=own_member(request), shows_name=shows_name, at=timezone.now())
    messages.success(
        request,
        _("Friends see your first name from now on.")
        if shows_name
        else _("Friends do not see your name from now on."),
    )
    return redirect("referrals:invite")


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def reissue_link(request: HttpRequest) -> HttpResponse:
    """A page that says what a new link means, and its button; sent twice, it changes the link once."""
    member, now = own_member(request), timezone.now()
    code = services.code_of(member=member, at=now)
    if request.method != "POST":
        return render(request, "referrals/reissue.html", {"link": offers.link_of(code), "code": code})
    if request.POST.get("code") == code.code:
        services.reissue_code(member=member, at=now)
        messages.success(request, _("You have a new link. The one before is no longer valid."))
    return redirect("referrals:invite")


@require_safe
def show_conditions(request: HttpRequest) -> HttpResponse:
    """The conditions of invitations in the edition in force, for whoever wants to know them."""
    rule_set = rule_set_in_force(timezone.now())
    context = {
        "rule_set": rule_set,
        "tiers": tiers_of(rule_set),
        "conditions": offers.conditions(rule_set),
    }
    return render(request, "referrals/conditions.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
def show_landing(request: HttpRequest, code: str) -> HttpResponse:
    """Who invites, what the friend gets, and the button to join; only the button counts a visit.

    A GET leaves a cookie in the browser and nothing else, since previews of links make them, too.
    """
    now = timezone.now()
    invite_code = queries.invite_code(code)
    arrival = _arrival(request, invite_code)
    context: dict[str, object] = {"arrival": arrival, "code": invite_code, "offer": _offer_now()}
    if arrival != Arrival.WELCOME or invite_code is None:
        return _never_kept(render(request, "referrals/landing.html", context))
    known = read_click(request)
    click = known if known and known.code == invite_code.code else Click(uuid4(), invite_code.code, now)
    if request.method == "POST":
        _count_visit(request, click)
        response: HttpResponse = redirect("account_signup")
    else:
        context |= {"link": offers.link_of(invite_code), "heading": offers.heading(invite_code)}
        response = render(request, "referrals/landing.html", context)
    if click is not known:
        set_click(response, click)
    return _never_kept(response)


@require_POST
def note_visit(request: HttpRequest, code: str) -> HttpResponse:
    """Count the visit of a browser that shows the landing page and remembers the link."""
    invite_code, click = queries.invite_code(code), read_click(request)
    if (
        _arrival(request, invite_code) == Arrival.WELCOME
        and invite_code is not None
        and click is not None
        and click.code == invite_code.code
    ):
        _count_visit(request, click)
    return HttpResponse(status=204)


def _count_visit(request: HttpRequest, click: Click) -> None:
    """Count the visit, unless very many came from that address: who joins is attached all the same."""
    if ratelimit.consume(request, action="invitation_visit"):
        services.count_visit(click=click, at=timezone.now())


def _arrival(request: HttpRequest, code: InviteCode | None) -> Arrival:
    member = getattr(request.user, "member", None)
    if member is not None and code is not None and code.member_id == member.pk:
        return Arrival.OWN
    if member is not None:
        return Arrival.MEMBER
    if request.user.is_authenticated:
        return Arrival.COLLEAGUE
    if code is None:
        return Arrival.UNKNOWN
    return Arrival.WELCOME if code.ended_at is None else Arrival.ENDED


def _offer_now() -> offers.FriendOffer:
    return offers.friend_offer(rule_set_in_force(timezone.now()))


def _never_kept(response: HttpResponse) -> HttpResponse:
    """The page as it is for this browser alone, and for no search engine."""
    add_never_cache_headers(response)
    response.headers["X-Robots-Tag"] = "noindex"
    return response
