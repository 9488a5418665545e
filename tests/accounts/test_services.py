from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from django.db import IntegrityError, connection

from accounts import services
from accounts.errors import EmailTaken, InvalidEmail, InvalidPhone, LoginTaken, PhoneTaken
from accounts.models import CONSENT_TEXT_VERSION, Consent, Language, Member
from accounts.numbers import parse_member_number
from accounts.queries import consents, consents_in_force, members_by_contact
from accounts.roles import Role
from tests.clock import AN_HOUR_LATER, NOON, TOMORROW_NOON
from tests.factories import MemberFactory, UserFactory


def create_member(**changes):
    fields = {
        "first_name": "Мария",
        "last_name": "Петрова",
        "email": None,
        "phone": None,
        "language": Language.RUSSIAN,
        "joined_at": NOON,
    }
    return services.create_member(**{**fields, **changes})


def test_create_member_gives_a_number_and_one_spelling_of_the_contacts(db):
    maria = create_member(first_name=" Мария ", email=" Maria@Example.com", phone="8 (916) 123-45-67")

    maria.refresh_from_db()
    assert parse_member_number(maria.number) == maria.number
    assert (maria.full_name, maria.masked_name) == ("Мария Петрова", "Мария П.")
    assert (maria.email, str(maria.phone)) == ("maria@example.com", "+79161234567")
    assert (maria.email_verified_at, maria.phone_verified_at, maria.user) == (None, None, None)


def test_create_member_lets_many_have_no_contact(db):
    create_member(email="", phone="")
    create_member(email=None, phone=None)

    assert list(Member.objects.values_list("email", "phone")) == [(None, None), (None, None)]


@pytest.mark.parametrize(
    ("changes", "error", "sentence"),
    [
        ({"email": "ADA@example.com "}, EmailTaken, "Another member already has this e-mail address."),
        ({"phone": "+7 916 000-00-01"}, PhoneTaken, "Another member already has this phone number."),
        ({"email": "ada"}, InvalidEmail, None),
        ({"phone": "12"}, InvalidPhone, None),
    ],
)
def test_create_member_refuses_a_contact_and_writes_nothing(ada, changes, error, sentence, in_english):
    Member.objects.filter(pk=ada.pk).update(phone="+79160000001")

    with pytest.raises(error) as refusal:
        create_member(**changes)

    assert sentence in (None, str(refusal.value))
    assert list(Member.objects.all()) == [ada]


def test_create_member_refuses_a_login_that_has_a_member(ada):
    with pytest.raises(LoginTaken):
        create_member(user=ada.user)


def test_create_member_draws_another_number_when_the_first_is_taken(ada, monkeypatch):
    drawn = iter([ada.number, "248190736514"])
    monkeypatch.setattr(services.members, "new_member_number", lambda: next(drawn))

    assert create_member().number == "248190736514"


def test_create_member_passes_on_what_is_no_refusal(db):
    with pytest.raises(IntegrityError):
        services.record_consent(
            kind=Consent.Kind.PROGRAMME, is_given=True, how=Consent.How.TILL, recorded_at=NOON
        )


def test_claim_member_makes_a_member_of_a_login_that_nobody_knew(db):
    user = UserFactory(first_name="Мария", last_name="", email="maria@example.com")

    maria = services.claim_member(
        user=user, claimed_at=NOON, verified_email="Maria@example.com", language=Language.ENGLISH
    )

    maria.refresh_from_db()
    assert (maria.user, maria.first_name, maria.joined_at) == (user, "Мария", NOON)
    assert (maria.email, maria.email_verified_at) == ("maria@example.com", NOON)
    assert maria.language == Language.ENGLISH
    assert user.role_names == {Role.MEMBER}


@pytest.mark.parametrize(
    "proof", [{"verified_email": "maria@example.com"}, {"verified_phone": "8 916 123-45-67"}]
)
def test_claim_member_finds_the_member_of_the_till_by_a_verified_contact(db, proof):
    till_maria = create_member(
        first_name="Мария", email="maria@example.com", phone="+79161234567", joined_at=NOON
    )
    user = UserFactory(first_name="Маша", email="maria@example.com")

    maria = services.claim_member(user=user, claimed_at=TOMORROW_NOON, **proof)

    assert maria == till_maria
    maria.refresh_from_db()
    assert (maria.user, maria.number, maria.first_name) == (user, till_maria.number, "Мария")
    assert maria.joined_at == NOON
    assert [maria.email_verified_at, maria.phone_verified_at].count(TOMORROW_NOON) == 1
    assert [maria.email_verified_at, maria.phone_verified_at].count(None) == 1


def test_claim_member_does_not_look_at_contacts_that_are_not_verified(db):
    till_maria = create_member(email="maria@example.com")
    user = UserFactory(email="maria@example.com")

    maria = services.claim_member(user=user, claimed_at=NOON)

    assert maria != till_maria
    assert maria.email is None


def test_claim_member_twice_changes_nothing(db):
    user = UserFactory(email="maria@example.com")
    first = services.claim_member(user=user, claimed_at=NOON, verified_email=user.email)

    second = services.claim_member(user=user, claimed_at=TOMORROW_NOON, verified_email=user.email)

    assert second == first
    assert list(Member.objects.values("pk", "email_verified_at")) == [
        {"pk": first.pk, "email_verified_at": NOON}
    ]


def test_claim_member_adds_a_contact_verified_since(ada):
    services.claim_member(user=ada.user, claimed_at=TOMORROW_NOON, verified_phone="89161234567")

    ada.refresh_from_db()
    assert (str(ada.phone), ada.phone_verified_at) == ("+79161234567", TOMORROW_NOON)
    assert (ada.email, ada.email_verified_at) == ("ada@example.com", NOON)


def test_claim_member_never_takes_a_member_who_has_a_login(ada, ben):
    Member.objects.filter(pk=ada.pk).update(email="shared@example.com")
    stranger = UserFactory(email="shared@example.com")

    newcomer = services.claim_member(user=stranger, claimed_at=NOON, verified_email="shared@example.com")
    claimed_by_ben = services.claim_member(
        user=ben.user, claimed_at=NOON, verified_email="shared@example.com"
    )

    ada.refresh_from_db()
    assert (ada.user.email, ada.email) == ("ada@example.com", "shared@example.com")
    assert newcomer not in (ada, ben)
    assert (newcomer.user, newcomer.email) == (stranger, None)
    assert claimed_by_ben == ben


def test_claim_member_prefers_the_e_mail_when_two_members_have_a_contact_each(db):
    by_phone = create_member(phone="+79161234567")
    by_email = create_member(email="maria@example.com")
    user = UserFactory(email="maria@example.com")

    maria = services.claim_member(
        user=user, claimed_at=NOON, verified_email=user.email, verified_phone="+79161234567"
    )

    assert maria == by_email
    assert list(members_by_contact(email=user.email, phone="+79161234567")) == [by_email, by_phone]
    assert maria.phone is None


def claim_together(claims):
    """Run the claims in threads that start as one; what comes back are their members."""
    start = Barrier(len(claims))

    def claim(arguments):
        try:
            start.wait(timeout=10)
            return services.claim_member(claimed_at=NOON, **arguments)
        finally:
            connection.close()

    with ThreadPoolExecutor(len(claims)) as threads:
        return list(threads.map(claim, claims))


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("round_number", range(5))
def test_claim_member_race_of_one_login_makes_one_member(round_number):
    user = UserFactory(email="maria@example.com")

    members = claim_together([{"user": user, "verified_email": user.email}] * 4)

    assert len({member.pk for member in members}) == 1
    assert list(Member.objects.values_list("user", "email")) == [(user.pk, user.email)]


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("round_number", range(5))
def test_claim_member_race_for_one_member_is_won_by_one_login(round_number):
    till_maria = create_member(email="maria@example.com", phone="+79161234567")
    by_email = UserFactory(email="maria@example.com")
    by_phone = UserFactory(email="masha@example.com")

    members = claim_together(
        [
            {"user": by_email, "verified_email": "maria@example.com"},
            {"user": by_phone, "verified_phone": "+79161234567"},
        ]
    )

    assert [member.pk for member in members].count(till_maria.pk) == 1
    assert {member.user_id for member in Member.objects.all()} == {by_email.pk, by_phone.pk}


def test_record_consent_keeps_what_was_agreed_to_before(ada):
    record = {"kind": Consent.Kind.ADVERTISING, "how": Consent.How.CABINET, "member": ada}
    given = services.record_consent(is_given=True, recorded_at=NOON, **record)
    assert list(consents_in_force(member=ada)) == [given]

    taken_back = services.record_consent(is_given=False, recorded_at=AN_HOUR_LATER, **record)
    assert list(consents_in_force(member=ada)) == []
    assert list(consents(member=ada)) == [taken_back, given]

    again = services.record_consent(
        is_given=True, recorded_at=TOMORROW_NOON, text_version="2027-01", **record
    )
    assert list(consents_in_force(member=ada)) == [again]
    assert (given.text_version, again.text_version) == (CONSENT_TEXT_VERSION, "2027-01")


def test_consents_of_a_login_are_those_of_its_member(ada, ben):
    at_sign_up = services.record_consent(
        user=ada.user,
        kind=Consent.Kind.PROGRAMME,
        is_given=True,
        how=Consent.How.SIGN_UP,
        recorded_at=NOON,
    )
    at_the_till = services.record_consent(
        member=ada, kind=Consent.Kind.ADVERTISING, is_given=True, how=Consent.How.TILL, recorded_at=NOON
    )

    assert set(consents_in_force(member=ada)) == {at_sign_up, at_the_till}
    assert set(consents_in_force(user=ada.user)) == {at_sign_up, at_the_till}
    assert list(consents_in_force(member=ben)) == []
    assert list(consents_in_force(member=MemberFactory())) == []
    assert list(consents_in_force()) == []


def test_assign_role_and_remove_role_may_be_repeated(ada):
    for _ in range(2):
        services.assign_role(user=ada.user, role=Role.STAFF)
    assert ada.user.role_names == {Role.MEMBER, Role.STAFF}

    for _ in range(2):
        services.remove_role(user=ada.user, role=Role.STAFF)
    assert ada.user.role_names == {Role.MEMBER}


def test_change_language_is_kept(ada):
    services.change_language(member=ada, language=Language.ENGLISH)

    ada.refresh_from_db()
    assert ada.language == Language.ENGLISH


def test_members_by_contact_finds_exact_contacts_only(ada, ben):
    assert list(members_by_contact(email="ada@example.com")) == [ada]
    assert list(members_by_contact(email="ada@example")) == []
    assert list(members_by_contact(email=None, phone=None)) == []
