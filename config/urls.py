"""The map of the site."""

from django.urls import include, path

urlpatterns = [
    path("", include("accounts.urls")),
    path("accounts/", include("allauth.urls")),
    path("", include("loyalty.urls")),
    path("", include("referrals.urls")),
    path("orders/", include("orders.urls")),
    path("api/", include("orders.api.urls")),
    path("console/", include("supervisor.urls")),
]
