"""Addresses of the cabinet's pages about points."""

from django.urls import path

from loyalty.views import card, points, rules, till_code, transfers

app_name = "loyalty"

urlpatterns = [
    path("", points.show_balance, name="balance"),
    path("why/", points.show_why, name="why"),
    path("operations/", points.show_operations, name="operations"),
    path("operations/operations.csv", points.export_operations, {"file_format": "csv"}, name="csv"),
    path("operations/operations.xlsx", points.export_operations, {"file_format": "xlsx"}, name="xlsx"),
    path("operations/<int:posting_id>/", points.show_operation, name="operation"),
    path("transfer/", transfers.transfer, name="transfer"),
    path("transfer/check/", transfers.lead_to_form, name="transfer_check_of_nothing"),
    path("transfer/check/<uuid:key>/", transfers.check_transfer, name="transfer_check"),
    path("transfer/check/<uuid:key>/code/", transfers.send_transfer_code, name="transfer_code"),
    path("transfer/done/<slug:number>/", transfers.show_receipt, name="transfer_receipt"),
    path("transfer/done/<slug:number>/take-back/", transfers.take_back, name="transfer_take_back"),
    path("card/", card.show_card, name="card"),
    path("card/full/", card.show_full_card, name="full_card"),
    path("card.webmanifest", card.show_manifest, name="card_manifest"),
    path("service-worker.js", card.show_worker, name="card_worker"),
    path("till-code/", till_code.show_till_code, name="till_code"),
    path("rules/", rules.show_rules, name="rules"),
    path("rules/<int:number>/", rules.show_rules, name="rules"),
    path("transfer/not-me/<str:token>/", transfers.stop_transfers, name="transfer_not_me"),
]
