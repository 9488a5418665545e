"""Which pages there are, from the map of the site itself, and who looks at which.

A new address is looked at by the member, in the console by whom the table of rights lets in. Where that is
not so, say so here: a test fails for an address that is neither looked at nor named as having no page.
"""

from collections.abc import Iterator

from django.urls import get_resolver

from tests.supervisor.test_rights import DEED, FILE, RIGHTS
from tests.test_own_objects import named_addresses

# What is for programs.
API = "api/v1/"
# Buttons, files, doors that lead on, pieces of a page, and what is shown to those who program.
NO_PAGE = {
    "None",
    "account_confirm_login_code",
    "account_email",
    "account_set_password",
    "accounts:None",
    "accounts:cancel_contact_change",
    "accounts:change_consent",
    "accounts:end_other_sessions",
    "accounts:end_session",
    "accounts:hide_steps",
    "accounts:join_staff",
    "accounts:kept_form",
    "accounts:mail",
    "accounts:mail_html",
    "accounts:mail_letter",
    "accounts:see_messages",
    "accounts:set_language",
    "accounts:try_address_again",
    "api_docs",
    "brand_logo",
    "brand_mark",
    "brand_stylesheet",
    "loyalty:card_manifest",
    "loyalty:card_worker",
    "loyalty:csv",
    "loyalty:transfer_check_of_nothing",
    "loyalty:transfer_code",
    "loyalty:xlsx",
    "mfa_download_recovery_codes",
    "mfa_reauthenticate",
    "orders:opinion",
    "orders:remove_points",
    "referrals:name",
    "referrals:qr_png",
    "referrals:qr_svg",
    "referrals:visit",
    "supervisor:bad_rows",
    "supervisor:job_progress",
    "usersessions_list",
}
# From where some are led on to another page.
LEADS_ON = {"account_reset_password_from_key", "accounts:join", "supervisor:overview"}
# Whoever is signed in sees them otherwise, or not at all.
LOOKED_AT_BY = {
    "account_email_verification_sent": ("joining",),
    "account_inactive": ("nobody",),
    "account_login": ("nobody",),
    "account_reset_password": ("nobody",),
    "account_reset_password_done": ("nobody",),
    "account_reset_password_from_key": ("nobody",),
    "account_reset_password_from_key_done": ("nobody",),
    "account_signup": ("nobody",),
    "accounts:join": ("nobody",),
    "accounts:cookies": ("nobody", "member"),
    "accounts:letters_by_link": ("nobody",),
    "accounts:stop_letters": ("nobody",),
    "api_problems": ("nobody",),
    "loyalty:rules": ("nobody", "member", "supervisor"),
    "loyalty:transfer_not_me": ("nobody",),
    "mfa_activate_totp": ("member", "staff"),
    "mfa_authenticate": ("halfway",),
    "mfa_deactivate_totp": ("supervisor",),
    "mfa_generate_recovery_codes": ("supervisor",),
    "mfa_index": ("member", "supervisor"),
    "mfa_view_recovery_codes": ("supervisor",),
    "referrals:conditions": ("nobody", "member"),
    "referrals:landing": ("nobody", "member"),
    "styleguide": ("staff",),
    # While an edition is scheduled.
    "supervisor:editions": ("supervisor", "publisher"),
    "supervisor:publish": ("supervisor", "publisher"),
    "supervisor:withdraw_edition": ("publisher",),
}
# Somebody to whom nothing has happened yet sees these empty.
OF_NEWCOMERS = (
    "loyalty:balance",
    "loyalty:why",
    "loyalty:operations",
    "loyalty:transfer",
    "loyalty:till_code",
    "orders:list",
    "accounts:messages",
    "accounts:profile",
    "referrals:invite",
)
ERRORS = ("400", "403", "403_csrf", "404", "405", "429", "500", "503")
# What answers otherwise than with 200.
STATUSES = {name: int(name[:3]) for name in ERRORS} | {
    "/nowhere/": 404,
    "/console/": 403,
    "/console/editions/": 403,
}


def every_address() -> dict[str, frozenset[str]]:
    """Each address people may come to, by its name, and the names of its arguments."""
    return {
        name: frozenset(arguments)
        for name, route, arguments in named_addresses(get_resolver("config.urls"))
        if not route.startswith(API)
    }


def is_page(name: str) -> bool:
    """Whether something is shown there."""
    return name not in NO_PAGE and (name not in RIGHTS or RIGHTS[name].methods not in (DEED, FILE))


def lookers(name: str) -> tuple[str, ...]:
    """Who looks at that page."""
    if name in LOOKED_AT_BY:
        return LOOKED_AT_BY[name]
    if name.startswith("supervisor:"):
        return tuple(sorted(RIGHTS[name].people))
    return ("member", "newcomer") if name in OF_NEWCOMERS else ("member",)


def pages_of(person: str) -> Iterator[str]:
    """The names of the pages that a person looks at."""
    return (name for name in every_address() if is_page(name) and person in lookers(name))
