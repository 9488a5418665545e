"""What a supervisor may be refused about outlets."""

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from loyalty.templatetags.numbers import figures
from orders.errors.steps import OrderError


class OutletRefused(OrderError):
    """An outlet cannot be as it is asked for. `field` is the part of a form that it is about."""

    code = "outlet_refused"
    field = "name"


class OutletNameInvalid(OutletRefused):
    """The name is empty or too long."""

    code = "outlet_name_invalid"

    def __init__(self, most_letters: int) -> None:
        super().__init__(most_letters)
        self.most_letters = most_letters

    def __str__(self) -> str:
        return ngettext(
            "Write a name of at most %(count)s letter.",
            "Write a name of at most %(count)s letters.",
            self.most_letters,
        ) % {"count": figures(self.most_letters)}


class OutletNameTaken(OutletRefused):
    """Another outlet of the source is called so, by its name or its code."""

    code = "outlet_name_taken"

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.name = name

    def __str__(self) -> str:
        return _("There is an outlet “%(name)s” in this source already. Choose another name.") % {
            "name": self.name
        }
