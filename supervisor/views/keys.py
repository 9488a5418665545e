"""The keys of the API: which there are, a new one, and what becomes of it."""

from django.contrib import messages
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from accounts.access import role_required, signed_in_user
from accounts.models import User
from accounts.roles import Role
from orders.errors import ApiKeyRefused, KeyMadeBefore
from orders.models import ApiKey, Source
from orders.queries.api_keys import keys_by_source
from orders.services.api_keys import (
    NewKey,
    create_source,
    public_id_of,
    require_rotatable,
)
from supervisor import shown_once
from supervisor.forms.keys import NewKeyForm, ReplaceKeyForm
from supervisor.services import keys as services


@require_safe
@role_required(Role.SUPERVISOR)
def show_keys(request: HttpRequest) -> HttpResponse:
    """Every key without its secret, and once, right after it was made, a key with it."""
    now = timezone.now()
    text = shown_once.take(request) if request.method == "GET" else None
    context = {
        "working": keys_by_source(at=now, is_ended=False),
        "ended": keys_by_source(at=now, is_ended=True),
        "new_text": text,
        "new_key": _key(public_id_of(text)) if text else None,
    }
    return render(request, "supervisor/keys/list.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@role_required(Role.SUPERVISOR)
def new_key(request: HttpRequest) -> HttpResponse:
    """The form for a key; the key itself is shown on the next page."""
    form = NewKeyForm(request.POST or None)
    if form.is_valid():
        try:
            new = _create(form, signed_in_user(request))
        except ApiKeyRefused as refusal:
            if ApiKey.objects.filter(public_id=form.cleaned_data["public_id"]).exists():
                # The same form came twice: its key was made by the first, and is shown after that.
                messages.info(request, str(KeyMadeBefore()))
                return redirect("supervisor:keys")
            form.add_error(refusal.field or None, str(refusal))
        else:
            return _shown(request, new)
    return render(request, "supervisor/keys/new.html", {"form": form}, status=422 if form.errors else 200)


@require_http_methods(["GET", "HEAD", "POST"])
@role_required(Role.SUPERVISOR)
def replace_key(request: HttpRequest, public_id: str) -> HttpResponse:
    """Says what replacing a key will do, and does it when it is confirmed."""
    key = _key(public_id)
    now = timezone.now()
    form = ReplaceKeyForm(request.POST or None)
    try:
        require_rotatable(key=key, at=now)
        if form.is_valid():
            overlap = form.cleaned_data["overlap"]
            new = services.replace_key(key=key, overlap=overlap, at=now, by=signed_in_user(request))
            return _shown(request, new)
    except ApiKeyRefused as refusal:
        messages.info(request, str(refusal))
        return redirect("supervisor:keys")
    context = {"key": key, "form": form}
    return render(request, "supervisor/keys/replace.html", context, status=422 if form.errors else 200)


@require_http_methods(["GET", "HEAD", "POST"])
@role_required(Role.SUPERVISOR)
def end_key(request: HttpRequest, public_id: str) -> HttpResponse:
    """Says what revoking a key will do, and does it when it is confirmed."""
    key = _key(public_id)
    if request.method == "POST":
        services.end_key(key=key, at=timezone.now(), by=signed_in_user(request))
        messages.success(request, _("The key “%(name)s” is revoked.") % {"name": key.name})
        return redirect("supervisor:keys")
    return render(request, "supervisor/keys/revoke.html", {"key": key})


@transaction.atomic
def _create(form: NewKeyForm, colleague: User) -> NewKey:
    """The key that the form asks for; without it, no source is made either."""
    asked = form.cleaned_data
    if form.makes_source:
        source = create_source(
            code=asked["source_code"], name=asked["source_name"], is_sandbox=asked["is_sandbox"]
        )
    else:
        source = Source.objects.get(code=asked["source"])
    return services.make_key(
        source=source,
        name=asked["name"],
        scopes=asked["scopes"],
        requests_a_minute=asked["requests_a_minute"],
        public_id=asked["public_id"],
        at=timezone.now(),
        by=colleague,
    )


def _shown(request: HttpRequest, new: NewKey) -> HttpResponse:
    shown_once.keep(request, new.text)
    return redirect("supervisor:keys")


def _key(public_id: str) -> ApiKey:
    return get_object_or_404(ApiKey.objects.select_related("source"), public_id=public_id)
