"""The map of the site."""

from django.urls import include, path

urlpatterns = [
    path("accounts/", include("allauth.urls")),
    path("", include("accounts.urls")),
    path("", include("loyalty.urls")),
    path("console/", include("supervisor.urls")),
]
