"""What the brand is drawn with: its stylesheet, its logo and the mark in its colour."""

from django.http import Http404, HttpRequest, HttpResponse
from django.utils.cache import patch_cache_control
from django.views.decorators.http import require_safe

from config.brand import brand, version

YEAR_SECONDS = 31_536_000


@require_safe
def show_stylesheet(request: HttpRequest) -> HttpResponse:
    """The hue and the strength of the accent."""
    return _kept(request, brand().stylesheet.encode(), "text/css; charset=utf-8")


@require_safe
def show_mark(request: HttpRequest) -> HttpResponse:
    """The icon of a brand without a logo."""
    return _kept(request, brand().mark.encode(), "image/svg+xml")


@require_safe
def show_logo(request: HttpRequest) -> HttpResponse:
    """The company's logo, where one is set."""
    if not brand().logo:
        raise Http404
    return _kept(request, brand().logo_bytes, brand().logo_type)


def _kept(request: HttpRequest, content: bytes, content_type: str) -> HttpResponse:
    """Kept for ever under the address that names its hash, and asked for again under any other."""
    response = HttpResponse(content, content_type=content_type)
    if request.GET.get("v") == version(content):
        patch_cache_control(response, public=True, max_age=YEAR_SECONDS, immutable=True)
    else:
        patch_cache_control(response, no_cache=True)
    return response
