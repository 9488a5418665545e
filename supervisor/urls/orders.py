"""Addresses of orders, imports and outlets."""

from django.urls import path

from supervisor.views import imports, orders, outlets

urlpatterns = [
    path("orders/", orders.show_orders, name="orders"),
    path("orders/<int:order_id>/", orders.show_order, name="order"),
    path("imports/", imports.show_imports, name="imports"),
    path("imports/new/", imports.new_import, name="new_import"),
    path("imports/<int:import_id>/", imports.show_import, name="import"),
    path("imports/<int:import_id>/columns/", imports.choose_columns, name="import_columns"),
    path("imports/<int:import_id>/start/", imports.start_import, name="start_import"),
    path("imports/<int:import_id>/bad-rows.csv", imports.show_bad_rows, name="bad_rows"),
    path("outlets/", outlets.show_outlets, name="outlets"),
    path("outlets/new/", outlets.new_outlet, name="new_outlet"),
    path("outlets/<int:outlet_id>/", outlets.show_outlet, name="outlet"),
    path("outlets/<int:outlet_id>/close/", outlets.change_closing, {"is_closed": True}, name="close_outlet"),
    path(
        "outlets/<int:outlet_id>/reopen/", outlets.change_closing, {"is_closed": False}, name="reopen_outlet"
    ),
]
