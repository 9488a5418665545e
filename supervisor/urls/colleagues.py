"""Addresses of staff accounts and roles, approvals, and the journal."""

from django.urls import URLPattern

urlpatterns: list[URLPattern] = []
