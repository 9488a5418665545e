"""What was expected of a field, in our words."""

from collections.abc import Mapping, Sequence
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from orders.api.errors import FieldProblem
from orders.api.types import shown


def field_problem(names: Sequence[str | int], error: Mapping[str, Any]) -> FieldProblem:
    """What is wrong with the field that these names lead to, by what pydantic says of it."""
    return FieldProblem(".".join(shown(str(name)) for name in names), expectation(error))


def expectation(error: Mapping[str, Any]) -> str:
    """What was expected instead of the value that pydantic refused."""
    kind, context = error["type"], error.get("ctx", {})
    match kind:
        case "expected":
            return str(context["sentence"])
        case "missing":
            return _("This field is needed.")
        case "extra_forbidden":
            return _("No such field.")
        case "string_type" | "string_unicode" | "string_too_short":
            return _("Text.")
        case "string_too_long":
            return ngettext(
                "Text of at most %(count)s letter.",
                "Text of at most %(count)s letters.",
                context["max_length"],
            ) % {"count": context["max_length"]}
        case "string_pattern_mismatch":
            return _("Text of this form: %(pattern)s") % {"pattern": context["pattern"]}
        case "int_type" | "int_parsing" | "int_from_float" | "int_parsing_size":
            return _("A whole number.")
        case "greater_than_equal":
            return _("A number that is not below %(least)s.") % {"least": context["ge"]}
        case "less_than_equal":
            return _("A number that is not above %(most)s.") % {"most": context["le"]}
        case "bool_type":
            return _("true or false.")
        case "list_type":
            return _("A list.")
        case "too_long":
            most = context["max_length"]
            return ngettext("At most %(count)s item.", "At most %(count)s items.", most) % {"count": most}
        case "too_short":
            return ngettext(
                "At least %(count)s item.", "At least %(count)s items.", context["min_length"]
            ) % {"count": context["min_length"]}
        case "model_type" | "model_attributes_type" | "dict_type":
            return _("An object.")
        case "enum" | "literal_error":
            return _("One of: %(choices)s.") % {"choices": str(context["expected"]).replace(" or ", ", ")}
        case _other:
            return _("A value of another kind.")
