"""Addresses of the console."""

from supervisor.urls import colleagues, editions, members, orders, others

app_name = "supervisor"

urlpatterns = [
    *others.urlpatterns,
    *editions.urlpatterns,
    *members.urlpatterns,
    *orders.urlpatterns,
    *colleagues.urlpatterns,
]
