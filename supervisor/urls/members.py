"""Addresses of the look-up, members, and what staff do for them."""

from django.urls import URLPattern

urlpatterns: list[URLPattern] = []
