"""Addresses of the member's pages about orders."""

from django.urls import path

from orders import views

app_name = "orders"

urlpatterns = [
    path("", views.show_orders, name="list"),
    path("opinion/", views.give_opinion, name="opinion"),
    path("<int:order_id>/", views.show_order, name="order"),
    path("<int:order_id>/points/", views.pay_with_points, name="points"),
    path("<int:order_id>/points/remove/", views.take_points_off, name="remove_points"),
]
