"""What makes one thing of a form that is sent twice."""

from typing import Any
from uuid import uuid4

from django import forms
from django.core.exceptions import ValidationError


class OnceField(forms.UUIDField):
    """The key of a form, which its browser sends along; one that was lost on the way is made anew."""

    widget = forms.HiddenInput

    def __init__(self) -> None:
        super().__init__(required=False, initial=uuid4)

    def to_python(self, value: Any) -> Any:
        """The key, a UUID."""
        try:
            return super().to_python(value) or uuid4()
        except ValidationError:
            return uuid4()
