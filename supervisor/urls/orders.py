"""Addresses of orders, imports and outlets."""

from django.urls import URLPattern

urlpatterns: list[URLPattern] = []
