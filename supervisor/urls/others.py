"""Addresses of the overview, API keys, transfers and invitations."""

from django.urls import path

from supervisor.views import invitations, keys, transfers
from supervisor.views.overview import overview

urlpatterns = [
    path("", overview, name="overview"),
    path("keys/", keys.show_keys, name="keys"),
    path("keys/new/", keys.new_key, name="new_key"),
    path("keys/<slug:public_id>/replace/", keys.replace_key, name="replace_key"),
    path("keys/<slug:public_id>/revoke/", keys.end_key, name="revoke_key"),
    path("transfers/", transfers.show_transfers, name="transfers"),
    path("transfers/<slug:number>/", transfers.show_transfer, name="transfer"),
    path("transfers/<slug:number>/reverse/", transfers.reverse, name="reverse_transfer"),
    path(
        "transfers/<slug:number>/<slug:side>/block/",
        transfers.change_block,
        {"is_blocked": True},
        name="block_account",
    ),
    path(
        "transfers/<slug:number>/<slug:side>/unblock/",
        transfers.change_block,
        {"is_blocked": False},
        name="unblock_account",
    ),
    path("invitations/", invitations.show_invitations, name="invitations"),
    path("invitations/attach/", invitations.attach, name="attach_inviter"),
    path("invitations/<int:referral_id>/", invitations.decide, name="decide_invitation"),
]
