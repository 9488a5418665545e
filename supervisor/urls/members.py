"""Addresses of the look-up, members, and what staff do for them."""

from django.urls import path

from supervisor.views import adjust, blocks, card, members_list, sale, tier
from supervisor.views.find import find

urlpatterns = [
    path("members/", members_list.show_members, name="members"),
    path("members/members.csv", members_list.export_members, {"file_format": "csv"}, name="members_csv"),
    path("members/members.xlsx", members_list.export_members, {"file_format": "xlsx"}, name="members_xlsx"),
    path("find/", find, name="find"),
    path("members/<slug:number>/", card.show_member, name="member"),
    path("members/<slug:number>/contacts/", card.show_contacts, name="member_contacts"),
    path("members/<slug:number>/operations/", card.show_operations, name="member_operations"),
    path("members/<slug:number>/orders/", card.show_orders, name="member_orders"),
    path("members/<slug:number>/messages/", card.show_messages, name="member_messages"),
    path("members/<slug:number>/sale/", sale.sale, name="sale"),
    path("members/<slug:number>/sale/check/", sale.check_sale, name="check_sale"),
    path("members/<slug:number>/sale/<int:order_id>/", sale.show_sale, name="sale_done"),
    path("members/<slug:number>/adjust/", adjust.adjust, name="adjust"),
    path(
        "members/<slug:number>/adjust/<int:approval_id>/",
        adjust.show_asked_adjustment,
        name="asked_adjustment",
    ),
    path("members/<slug:number>/tier/", tier.set_tier, name="set_tier"),
    path(
        "members/<slug:number>/block/",
        blocks.change_block,
        {"is_blocked": True},
        name="block_member",
    ),
    path(
        "members/<slug:number>/unblock/",
        blocks.change_block,
        {"is_blocked": False},
        name="unblock_member",
    ),
]
