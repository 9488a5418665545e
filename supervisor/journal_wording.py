"""Records of the journal in words: each of their facts is a short sentence."""

from collections.abc import Callable, Sequence
from datetime import datetime

from django.utils.functional import Promise
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext, pgettext_lazy

from accounts.facts import worded
from accounts.models import AuditRecord
from accounts.numbers import format_member_number
from accounts.roles import Role
from loyalty.models import Cause
from loyalty.templatetags.numbers import figures, moment_text, points, signed
from referrals.models import Flag
from supervisor.models import Approval, JobRun
from supervisor.queries.find import kind_labels
from supervisor.queries.journal import People

Text = str | Promise
Action = AuditRecord.Action
Say = Callable[[AuditRecord, People], str]

PAGES: dict[str, Text] = {
    "member": gettext_lazy("the member’s card"),
    "operations": gettext_lazy("the member’s operations"),
    "orders": gettext_lazy("the member’s orders"),
    "messages": gettext_lazy("the member’s messages"),
    "transfer": gettext_lazy("a transfer"),
    "invitation": gettext_lazy("an invitation"),
    "inviter": gettext_lazy("noting an inviter"),
    "approval": gettext_lazy("an approval"),
    "sale": gettext_lazy("registering a sale"),
    "adjustment": gettext_lazy("adjusting points"),
    "tier": gettext_lazy("setting a tier"),
    "block": gettext_lazy("blocking the account"),
    "order": gettext_lazy("an order"),
}
LISTS: dict[str, Text] = {
    "members": pgettext_lazy("a list", "members"),
    "orders": pgettext_lazy("a list", "orders"),
    "journal": pgettext_lazy("a list", "journal"),
    "bad_rows": pgettext_lazy("a list", "bad rows of an import"),
    "preview": pgettext_lazy("a list", "members whose tier would change"),
}
ASKED_BY: dict[str, Text] = {
    "number": gettext_lazy("by a member number"),
    "email": gettext_lazy("by an e-mail"),
    "phone": gettext_lazy("by a phone"),
}
OUTCOMES: dict[str, Text] = {
    "found": gettext_lazy("somebody was found"),
    "self": gettext_lazy("it was the member’s own"),
    "unavailable": gettext_lazy("nobody was found who could get points"),
    "too_many": gettext_lazy("refused: too many questions"),
}
PROOFS: dict[str, Text] = {
    "password": gettext_lazy("a password"),
    "code": gettext_lazy("a one-time code"),
}
OUTLET_CHANGES: dict[str, Text] = {
    "added": gettext_lazy("added"),
    "renamed": gettext_lazy("renamed"),
    "closed": gettext_lazy("closed"),
    "reopened": gettext_lazy("opened again"),
}
KEY_CHANGES: dict[str, Text] = {
    "created": gettext_lazy("made"),
    "replaced": gettext_lazy("replaced by a new one"),
    "revoked": gettext_lazy("revoked"),
}


def title(record: AuditRecord) -> str:
    """What was done: “Blocked an account”."""
    if record.facts.get("kind") == "list":
        return _("Looked at the list “%(list)s”") % {"list": _name_of_list(record)}
    return str(capfirst(record.get_action_display()))


def doer(record: AuditRecord, people: People) -> str:
    """Who did it: a colleague’s name, the member, a shop’s system, or the programme."""
    if record.actor_id is None:
        source = record.facts.get("source")
        return _("The system “%(source)s”") % {"source": source} if source else _("The programme")
    if record.member and record.member.user_id == record.actor_id:
        return _("The member")
    return people.names.get(record.actor_id, _("A login that is no more"))


def doer_role(record: AuditRecord) -> str:
    """As what a colleague did it; empty for everybody else and for records of old."""
    return str(Role(record.actor_role).label) if record.actor_role in Role.values else ""


def facts_in_words(record: AuditRecord, people: People) -> list[str]:
    """What the record tells beside who, what and about whom: one short sentence each."""
    sayings = (*OF_AN_ACTION.get(record.action, ()), *OF_ALL)
    return [capfirst(text) for say in sayings if (text := say(record, people))]


def _fact(name: str, words: Callable[[object], str]) -> Say:
    """Says a fact where the record has it, and where it says anything."""

    def say(record: AuditRecord, people: People) -> str:
        value = record.facts.get(name)
        return "" if value in (None, "") else words(value)

    return say


def _choice(name: str, labels: dict[str, Text]) -> Say:
    return _fact(name, lambda value: str(labels.get(str(value), value)))


def _member(name: str, sentence: Text) -> Say:
    def say(record: AuditRecord, people: People) -> str:
        number = people.numbers.get(record.facts.get(name, 0))
        return str(sentence) % {"number": format_member_number(number)} if number else ""

    return say


def _colleague(name: str, sentence: Text) -> Say:
    def say(record: AuditRecord, people: People) -> str:
        known = people.names.get(record.facts.get(name, 0))
        return str(sentence) % {"name": known} if known else ""

    return say


def _numbered(name: str, sentence: Text) -> Say:
    return _fact(name, lambda value: str(sentence) % {"number": value})


def _searched(record: AuditRecord, people: People) -> str:
    kinds = kind_labels(record.facts.get("kinds", []))
    return _("As %(kinds)s") % {"kinds": ", ".join(kinds)} if kinds else ""


def _found(record: AuditRecord, people: People) -> str:
    found = record.facts.get("found")
    if not isinstance(found, int):
        return ""
    return ngettext("%(count)s member found", "%(count)s members found", found) % {"count": figures(found)}


def _exported(record: AuditRecord, people: People) -> str:
    facts = record.facts
    rows = facts.get("rows", 0)
    sentence = ngettext(
        "The list “%(list)s” as %(format)s, %(count)s row",
        "The list “%(list)s” as %(format)s, %(count)s rows",
        rows,
    )
    return sentence % {
        "list": _name_of_list(record),
        "format": str(facts.get("format", "")).upper(),
        "count": figures(rows),
    }


def _name_of_list(record: AuditRecord) -> Text:
    name = str(record.facts.get("list", ""))
    return LISTS.get(name, name)


def _role_changed(record: AuditRecord, people: People) -> str:
    role = str(record.facts.get("role", ""))
    label = Role(role).label if role in Role.values else role
    sentence = _("Role given: %(role)s") if record.facts.get("is_given") else _("Role taken: %(role)s")
    return sentence % {"role": label}


def _invited(record: AuditRecord, people: People) -> str:
    role = str(record.facts.get("role", ""))
    text = _("Role: %(role)s") % {"role": Role(role).label if role in Role.values else role}
    if record.facts.get("is_taken_back"):
        return f"{text}. " + _("The invitation was taken back")
    return text


def _moving(record: AuditRecord, people: People) -> str:
    facts = record.facts
    if facts.get("falling_count") is None:
        return ""
    sentence = _("Of %(members)s members %(falling)s come to a lower tier")
    return sentence % {
        "members": figures(facts.get("members_count") or 0),
        "falling": figures(facts["falling_count"]),
    }


def _tier_set(record: AuditRecord, people: People) -> str:
    if record.facts.get("position") is None:
        return _("The tier follows from orders alone again")
    return _("Not below “%(tier)s”") % {"tier": worded(record.facts, "tier")}


def _outlet(record: AuditRecord, people: People) -> str:
    facts = record.facts
    change = str(facts.get("change", ""))
    text = f"{facts.get('outlet', '')}: {OUTLET_CHANGES.get(change, change)}"
    if facts.get("before"):
        names = _("“%(before)s” is now “%(after)s”") % {"before": facts["before"], "after": facts["name"]}
        return f"{text}, {names}"
    return text


def _kinds_of_flags(record: AuditRecord, people: People) -> str:
    labels = dict(Flag.Kind.choices)
    return "; ".join(str(labels.get(kind, kind)) for kind in record.facts.get("kinds", []))


def _effective_at(value: object) -> str:
    return _("In force from %(moment)s") % {"moment": moment_text(datetime.fromisoformat(str(value)))}


OF_AN_ACTION: dict[str, Sequence[Say]] = {
    Action.RECIPIENT_ASKED: (_choice("by", ASKED_BY), _choice("outcome", OUTCOMES)),
    Action.PROOF_FAILED: (_choice("by", PROOFS),),
    Action.REFERRAL_DECIDED: (
        _choice("decision", dict(Flag.Decision.choices)),
        _kinds_of_flags,
    ),
    Action.LOOKED_AT: (_choice("page", PAGES),),
    Action.SEARCHED: (_searched, _found),
    Action.EXPORTED: (_exported,),
    Action.TIER_SET: (_tier_set,),
    Action.POINTS_ADJUSTED: (
        _fact("points", lambda value: signed(int(str(value)))),
        _choice("cause", dict(Cause.choices)),
    ),
    Action.APPROVAL_ASKED: (_choice("kind", dict(Approval.Kind.choices)), _moving),
    Action.APPROVAL_DECIDED: (
        _choice("kind", dict(Approval.Kind.choices)),
        _choice("decision", dict(Approval.Decision.choices)),
    ),
    Action.RULES_PUBLISHED: (_fact("effective_at", _effective_at), _moving),
    Action.JOB_BEGUN: (_choice("kind", dict(JobRun.Kind.choices)),),
    Action.JOB_CANCELLED: (_choice("kind", dict(JobRun.Kind.choices)),),
    Action.OUTLET_CHANGED: (_outlet,),
    Action.KEY_CHANGED: (_choice("change", KEY_CHANGES),),
    Action.COLLEAGUE_INVITED: (_invited,),
    Action.COLLEAGUE_JOINED: (_invited,),
    Action.ROLE_CHANGED: (_role_changed,),
}


def _points(record: AuditRecord, people: People) -> str:
    moved = record.facts.get("points")
    is_said = record.action == Action.POINTS_ADJUSTED
    return points(moved) if isinstance(moved, int) and moved and not is_said else ""


# Said of every action whose record has the fact.
OF_ALL: Sequence[Say] = (
    _numbered("number", gettext_lazy("Receipt %(number)s")),
    _numbered("order", gettext_lazy("Order %(number)s")),
    _points,
    _numbered("edition", gettext_lazy("Edition %(number)s")),
    _numbered("approval", gettext_lazy("Approval %(number)s")),
    _numbered("job", gettext_lazy("Long job %(number)s")),
    _numbered("key", gettext_lazy("Key %(number)s")),
    _member("inviter_id", gettext_lazy("Inviter %(number)s")),
    _member("invited_id", gettext_lazy("Friend %(number)s")),
    _colleague("colleague", gettext_lazy("Colleague: %(name)s")),
    _colleague("asked_by", gettext_lazy("Asked by %(name)s")),
    _colleague("approved_by", gettext_lazy("Approved by %(name)s")),
    _fact("reason", lambda value: _("“%(text)s”") % {"text": value}),
)
