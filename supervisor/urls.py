"""Addresses of the console."""

from django.urls import path

from supervisor.views import keys
from supervisor.views.overview import overview

app_name = "supervisor"

urlpatterns = [
    path("", overview, name="overview"),
    path("keys/", keys.show_keys, name="keys"),
    path("keys/new/", keys.new_key, name="new_key"),
    path("keys/<str:public_id>/replace/", keys.replace_key, name="replace_key"),
    path("keys/<str:public_id>/revoke/", keys.end_key, name="revoke_key"),
]
