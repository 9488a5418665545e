from django.template import Context, Template

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
