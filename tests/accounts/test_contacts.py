import pytest
from hypothesis import given
from hypothesis import strategies as st

from accounts.contacts import masked_name, normalise_email, normalise_phone
from accounts.errors import InvalidEmail, InvalidPhone


@pytest.mark.parametrize(
    "text", ["ada@example.com", "  Ada@Example.COM ", "ADA@EXAMPLE.COM\n", "\u00a0ada@example.com"]
)
def test_normalise_email_gives_one_spelling(text):
    assert normalise_email(text) == "ada@example.com"


@pytest.mark.parametrize(
    "text", ["", "ada", "ada@", "@example.com", "ada@example", "a da@example.com", "a@b@c.com"]
)
def test_normalise_email_refuses_what_is_no_address(text, in_english):
    with pytest.raises(InvalidEmail) as refusal:
        normalise_email(text)

    assert str(refusal.value) == "This is not an e-mail address. Write it like name@example.com."


def test_normalise_email_refuses_an_address_longer_than_mail_allows():
    with pytest.raises(InvalidEmail):
        normalise_email("a" * 60 + "@" + ".".join(["b" * 60] * 4) + ".com")


@pytest.mark.parametrize(
    "text",
    [
        "+7 916 123-45-67",
        "8 (916) 123-45-67",
        "8-916-123-45-67",
        "89161234567",
        "79161234567",
        "9161234567",
        "+7(916)1234567",
        "8\u00a0916\u00a0123\u00a045\u00a067",
        "8 916 123–45–67",
        "tel:+79161234567",
    ],
)
def test_normalise_phone_reads_every_russian_spelling(text):
    assert normalise_phone(text) == "+79161234567"


@pytest.mark.parametrize(
    ("text", "phone"),
    [
        ("8 (495) 606-36-02", "+74956063602"),
        ("+375 29 123-45-67", "+375291234567"),
        ("+7 701 123 45 67", "+77011234567"),
        ("8 10 44 20 7946 0958", "+442079460958"),
        ("+44 (0)20 7946 0958", "+442079460958"),
    ],
)
def test_normalise_phone_reads_landlines_and_other_countries(text, phone):
    assert normalise_phone(text) == phone


@pytest.mark.parametrize(
    "text",
    ["", "Ада", "123", "+7 916 123-45-6", "8 916 123-45-67-89", "8 495 606-36-02 доб. 15", "+999 1234567"],
)
def test_normalise_phone_refuses_what_cannot_be_somebodys_phone(text, in_english):
    with pytest.raises(InvalidPhone) as refusal:
        normalise_phone(text)

    assert str(refusal.value).startswith("This is not a phone number.")


@given(text=st.text(max_size=30))
def test_contacts_are_stable_once_normalised(text):
    for normalise, error in ((normalise_email, InvalidEmail), (normalise_phone, InvalidPhone)):
        try:
            once = normalise(text)
        except error:
            continue
        assert normalise(once) == once


@pytest.mark.parametrize(
    ("first_name", "last_name", "shown"),
    [
        ("Мария", "Петрова", "Мария П."),
        ("Мария", "", "Мария"),
        (" Мария ", " петрова ", "Мария П."),
        ("Мария Петрова", "", "Мария П."),
        ("Анна Мария", "Петрова", "Анна П."),
        ("", "Петрова", "П."),
        ("", "", "Member"),
    ],
)
def test_masked_name_shows_a_first_name_and_an_initial(first_name, last_name, shown, in_english):
    assert masked_name(first_name, last_name) == shown


@pytest.mark.parametrize(
    "first_name",
    ["Жан-Пьер", "Мар’яна", "O'Brien", "Zoë", "Zoe\u0308", "मारिया", "علی\u200cرضا", "李", "x" * 30],
)
def test_masked_name_shows_names_of_any_script(first_name):
    assert masked_name(first_name, "Петрова") == f"{first_name} П."


@pytest.mark.parametrize(
    "first_name",
    [
        "https://evil.example/bonus",
        "evil.example",
        "evil.example Мария",
        "@bonus",
        "+79161234567",
        "2481",
        "<b>Мария</b>",
        "Мария\u202e",
        "\u2066Мария",
        "Ма\u200bрия",
        "-",
        "\u0308",
        "\u200d",
        "Мария🎁",
        "x" * 31,
    ],
)
def test_masked_name_shows_nothing_that_is_no_name(first_name, in_english):
    assert masked_name(first_name, "Петрова") == "Member"


@pytest.mark.parametrize("last_name", ["\u202eПетрова", "/bonus", "1"])
def test_initial_is_a_letter(last_name):
    assert masked_name("Мария", last_name) == "Мария"
