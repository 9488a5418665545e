"""Addresses of the cabinet's pages about points."""

from django.urls import path

from loyalty import views

app_name = "loyalty"

urlpatterns = [
    path("", views.show_balance, name="balance"),
    path("operations/", views.show_operations, name="operations"),
    path("operations/operations.csv", views.export_operations, {"file_format": "csv"}, name="csv"),
    path("operations/operations.xlsx", views.export_operations, {"file_format": "xlsx"}, name="xlsx"),
    path("operations/<int:posting_id>/", views.show_operation, name="operation"),
]
