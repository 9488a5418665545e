from django.template import Context, Template

from accounts.templatetags.accounts import contact_in_a_row

LOGINS = Template(
    "{% load accounts %}{% demo_logins as logins %}"
    "{% for role, email, password in logins %}{{ role }} {{ email }} {{ password }};{% endfor %}"
)


def test_demo_logins_are_shown_in_a_demo(settings):
    settings.IS_DEMO = True
    from config.demo import DEMO_LOGINS

    assert DEMO_LOGINS
    shown = LOGINS.render(Context())
    assert shown == "".join(f"{role} {email} {password};" for role, email, password in DEMO_LOGINS)


def test_demo_logins_are_not_shown_elsewhere(settings):
    settings.IS_DEMO = False

    assert LOGINS.render(Context()) == ""


def test_contact_in_a_row_breaks_an_email_only_before_its_at_and_a_phone_never():
    assert contact_in_a_row("<b>@example.com") == "&lt;b&gt;<wbr>@example.com"
    assert contact_in_a_row("+79161234567") == ('<span class="nowrap">+7\u00a0916\u00a0123-45-67</span>')
