"""Addresses of editions, drafts, what they would do, and long work."""

from django.urls import URLPattern

urlpatterns: list[URLPattern] = []
