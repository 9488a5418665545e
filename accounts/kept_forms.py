"""What somebody had typed when their form could not be taken: kept for a while where that is safe.

A session may end, or a form get out of date, while somebody writes. Of the forms below, which hold no
secret, what was typed is offered again; nothing of it is done before a button is pressed. A password,
a code, a file and whatever is about somebody else's account is never kept. Who was signed in is known by
the browser: a form is kept for the member who used it last, and whoever else signs in there never sees it.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from urllib.parse import urlsplit

from django.contrib.sessions.backends.base import SessionBase
from django.http import HttpRequest
from django.urls import Resolver404, resolve
from django.utils.http import url_has_allowed_host_and_scheme

# By the names of their pages: the fields that are kept.
KEPT_FIELDS: Mapping[str, tuple[str, ...]] = {
    "account_login": ("login", "next"),
    "account_reset_password": ("email",),
    "account_signup": ("first_name", "email", "next"),
    "accounts:change_email": ("contact",),
    "accounts:change_name": ("first_name", "last_name"),
    "accounts:change_phone": ("contact",),
    "loyalty:transfer": ("recipient", "points"),
}
# Fields that nobody types.
HIDDEN = {"next"}
LONGEST = 300
KEPT_FOR = timedelta(minutes=10)
KEY = "kept_form"


@dataclass(frozen=True)
class KeptForm:
    """Where the form goes, and what is in it."""

    address: str
    fields: Mapping[str, str]

    @property
    def typed(self) -> list[str]:
        """What somebody reads to see that it is theirs."""
        return [text for name, text in self.fields.items() if name not in HIDDEN]


def typed_form(request: HttpRequest) -> KeptForm | None:
    """What was typed into the form of a request; None for a form that is not kept, or an empty one."""
    try:
        name = resolve(request.path_info).view_name
    except Resolver404:
        return None
    fields = {field: request.POST.get(field, "")[:LONGEST] for field in KEPT_FIELDS.get(name, ())}
    form = KeptForm(request.path, {field: text for field, text in fields.items() if text.strip()})
    return form if form.typed else None


def came_from_own_page(request: HttpRequest) -> bool:
    """Whether the browser says that a page of this site sent the request; one that says nothing does not."""
    if site := request.headers.get("Sec-Fetch-Site"):
        return site == "same-origin"
    origin = request.headers.get("Origin") or request.headers.get("Referer", "")
    if origin == "null" or not urlsplit(origin).netloc:
        return False
    return url_has_allowed_host_and_scheme(
        origin, allowed_hosts={request.get_host()}, require_https=request.is_secure()
    )


def keep_form(session: SessionBase, form: KeptForm, *, member_id: int, at: datetime) -> None:
    """Keep the member's form in the session of the browser that sent it."""
    session[KEY] = {**asdict(form), "member_id": member_id, "kept_at": at.timestamp()}


def kept_form(session: SessionBase, *, member_id: int, at: datetime) -> KeptForm | None:
    """The form that this member had sent from this browser in the last ten minutes; None without one."""
    kept = session.get(KEY)
    if not kept or kept["member_id"] != member_id:
        return None
    if not 0 <= at.timestamp() - kept["kept_at"] <= KEPT_FOR.total_seconds():
        return None
    return KeptForm(kept["address"], kept["fields"])


def forget_form(session: SessionBase) -> None:
    """Keep it no longer."""
    session.pop(KEY, None)
