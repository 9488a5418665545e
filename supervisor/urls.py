"""Addresses of the console."""

from django.urls import path

from supervisor import views

app_name = "supervisor"

urlpatterns = [
    path("", views.overview, name="overview"),
]
