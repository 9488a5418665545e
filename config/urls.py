"""The map of the site."""

from django.urls import include, path

from config import views
from supervisor.views.styleguide import show_styleguide

urlpatterns = [
    path("brand.css", views.show_stylesheet, name="brand_stylesheet"),
    path("brand/logo", views.show_logo, name="brand_logo"),
    path("brand/mark.svg", views.show_mark, name="brand_mark"),
    path("styleguide/", show_styleguide, name="styleguide"),
    path("", include("accounts.urls")),
    path("accounts/", include("allauth.urls")),
    path("", include("loyalty.urls")),
    path("", include("referrals.urls")),
    path("orders/", include("orders.urls")),
    path("api/", include("orders.api.urls")),
    path("console/", include("supervisor.urls")),
]

handler500 = "config.errors.server_error"
