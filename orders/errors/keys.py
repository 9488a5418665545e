"""What is refused about the keys of the API."""

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from loyalty.errors import LoyaltyError


class ApiKeyRefused(LoyaltyError):
    """A refusal that is about a key of the API. `field` is the part of a form it is about, if any."""

    code = "api_key_refused"
    field = ""


class KeyNotAccepted(ApiKeyRefused):
    """The request does not prove which source it is from."""

    code = "key_not_accepted"


class KeyMissing(KeyNotAccepted):
    """A request without a key."""

    code = "key_missing"

    def __str__(self) -> str:
        return _("This request carries no key. Send the key of your shop with it.")


class KeyUnknown(KeyNotAccepted):
    """Malformed, never made, or with a wrong secret: whoever asks does not learn which."""

    code = "key_unknown"

    def __str__(self) -> str:
        return _("There is no such key. Check that it was copied whole, or ask a supervisor for a new one.")


class KeyRevoked(KeyNotAccepted):
    """A key that a supervisor has ended."""

    code = "key_revoked"

    def __str__(self) -> str:
        return _("This key was revoked. Ask a supervisor for a new one.")


class KeyExpired(KeyNotAccepted):
    """A key whose time ran out after it was replaced."""

    code = "key_expired"

    def __str__(self) -> str:
        return _("This key was replaced, and its time has run out. Use the one that replaced it.")


class ScopeMissing(ApiKeyRefused):
    """The key is good, but was not given this right."""

    code = "scope_missing"

    def __init__(self, scope: str) -> None:
        super().__init__(scope)
        self.scope = scope

    def __str__(self) -> str:
        return _("This key lacks the scope %(scope)s. Ask a supervisor for a key that has it.") % {
            "scope": self.scope
        }


class TooManyRequests(ApiKeyRefused):
    """The key has used up its requests for now; `retry_after_seconds` is when there is a place again."""

    code = "too_many_requests"

    def __init__(self, retry_after_seconds: int) -> None:
        super().__init__(retry_after_seconds)
        self.retry_after_seconds = retry_after_seconds

    def __str__(self) -> str:
        return ngettext(
            "Too many requests with this key. Try again in %(count)s second.",
            "Too many requests with this key. Try again in %(count)s seconds.",
            self.retry_after_seconds,
        ) % {"count": self.retry_after_seconds}


class AlreadyRotated(ApiKeyRefused):
    """The key has a successor already."""

    code = "already_rotated"

    def __str__(self) -> str:
        return _("This key was replaced before. To replace it again, replace the one that came after it.")


class KeyEnded(ApiKeyRefused):
    """A key that works no longer cannot be rotated."""

    code = "key_ended"

    def __str__(self) -> str:
        return _("This key no longer works, so there is nothing to replace. Make a new one.")


class KeyMadeBefore(ApiKeyRefused):
    """The same request for a key came a second time."""

    code = "key_made_before"

    def __str__(self) -> str:
        return _("This form was sent before, and made one key. To make another, open an empty form.")


class KeyNameInvalid(ApiKeyRefused):
    """A key without a name, or with one that does not fit."""

    code = "key_name_invalid"
    field = "name"

    def __init__(self, most_letters: int) -> None:
        super().__init__(most_letters)
        self.most_letters = most_letters

    def __str__(self) -> str:
        return ngettext(
            "Say where the key is used, in at most %(count)s letter.",
            "Say where the key is used, in at most %(count)s letters.",
            self.most_letters,
        ) % {"count": self.most_letters}


class ScopesMissing(ApiKeyRefused):
    """A key that could do nothing."""

    code = "scopes_missing"
    field = "scopes"

    def __str__(self) -> str:
        return _("Choose at least one thing that the key may be used for.")


class ScopeUnknown(ApiKeyRefused):
    """A scope that no key can have."""

    code = "scope_unknown"
    field = "scopes"

    def __init__(self, scope: str, known: str) -> None:
        super().__init__(scope, known)
        self.scope = scope
        self.known = known

    def __str__(self) -> str:
        return _("There is no scope “%(scope)s”. The scopes are: %(known)s.") % {
            "scope": self.scope,
            "known": self.known,
        }


class LimitOutOfRange(ApiKeyRefused):
    """A limit of requests that cannot be kept."""

    code = "limit_out_of_range"
    field = "requests_a_minute"

    def __init__(self, most: int) -> None:
        super().__init__(most)
        self.most = most

    def __str__(self) -> str:
        return _("Enter a whole number of requests a minute from 1 to %(most)s.") % {"most": self.most}


class SourceCodeInvalid(ApiKeyRefused):
    """A new source with a code that could not stand in an address."""

    code = "source_code_invalid"
    field = "source_code"

    def __init__(self, most_letters: int) -> None:
        super().__init__(most_letters)
        self.most_letters = most_letters

    def __str__(self) -> str:
        return ngettext(
            "Make the code of Latin letters, digits and hyphens, at most %(count)s together.",
            "Make the code of Latin letters, digits and hyphens, at most %(count)s together.",
            self.most_letters,
        ) % {"count": self.most_letters}


class SourceCodeTaken(ApiKeyRefused):
    """A new source with the code of one that there is."""

    code = "source_code_taken"
    field = "source_code"

    def __init__(self, source_code: str) -> None:
        super().__init__(source_code)
        self.source_code = source_code

    def __str__(self) -> str:
        return _("There is a source with the code “%(code)s” already. Choose it, or take another code.") % {
            "code": self.source_code
        }


class SourceNameInvalid(ApiKeyRefused):
    """A source without a name, or with one that does not fit."""

    code = "source_name_invalid"
    field = "source_name"

    def __init__(self, most_letters: int) -> None:
        super().__init__(most_letters)
        self.most_letters = most_letters

    def __str__(self) -> str:
        return ngettext(
            "Name the new source, in at most %(count)s letter.",
            "Name the new source, in at most %(count)s letters.",
            self.most_letters,
        ) % {"count": self.most_letters}
