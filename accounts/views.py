"""The pages of accounts that allauth does not have."""

from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.views import i18n
from django.views.decorators.http import require_POST

from accounts import services
from accounts.models import Language, Member


@require_POST
def set_language(request: HttpRequest) -> HttpResponseBase:
    """Switch the language of this browser and, for a member, of what they are written in."""
    language = request.POST.get("language", "")
    if language in Language.values and request.user.is_authenticated:
        member = Member.objects.filter(user=request.user).first()
        if member is not None:
            services.change_language(member=member, language=language)
    return i18n.set_language(request)
