from collections.abc import Callable, Iterator

import pytest

from gateway.core.scan import Finding
from gateway.core.scan_numbers import MAX_PHONE_CHECKS, cards, emails, ibans, number_detectors, phones, ssns


def texts(detector: Callable[[str], Iterator[Finding]], text: str) -> list[str]:
    return [text[finding.start : finding.end] for finding in detector(text)]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("write to anna.smith+x@mail.example.co.uk.", ["anna.smith+x@mail.example.co.uk"]),
        ("<jörg@müller.de>,b@c.io", ["jörg@müller.de", "b@c.io"]),
        ("@app.route, user@localhost, pkg@18.2.0, a@b", []),
        ("git clone git@github.com:org/repo", []),
        ("digit@github.com:22", ["digit@github.com"]),
        ("x" * 80 + "@example.com", ["x" * 64 + "@example.com"]),
        ("a@b.c.d.e.f.example.org", ["a@b.c.d.e.f.example.org"]),
        ("no at sign", []),
    ],
)
def test_finds_email_addresses(text: str, found: list[str]) -> None:
    assert texts(emails, text) == found


@pytest.mark.parametrize(
    "number",
    [
        "4111111111111111",
        "4111 1111 1111 1111",
        "4111-1111-1111-1111",
        "5555555555554444",
        "2223003122003222",
        "378282246310005",
        "3782 822463 10005",
        "30569309025904",
        "6011111111111117",
        "3530111333300000",
        "6759649826438453",
        "4222222222222",
        "6200000000000005",
        "4111.1111.1111.1111",
        "3782/822463/10005",
        "4 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1",
        "4-1-1-1-1-1-1-1-1-1-1-1-1-1-1-1",
    ],
)
def test_finds_cards_of_every_issuer(number: str) -> None:
    assert texts(cards, f"pay 12 {number}, or 77") == [number]


@pytest.mark.parametrize(
    "text",
    [
        "4111 1111 1111 1112",  # the check digit
        "1234 5678 9012 3452",  # no issuer
        "41111111111111111111111",  # part of a longer number
        "4111 1111\n1111 1111",  # two lines
        "4111 11 11 1111 1111",  # pairs
        "1.4111.1111.1111.1111",  # part of a longer row
        "4 1 1 1 1 1 1 1 1 1 1 1 1 1 1 11",
        "4 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 " + "1 " * 40,
        "550e8400-e29b-41d4-a716-446655440000",
    ],
)
def test_takes_no_other_number_for_a_card(text: str) -> None:
    assert texts(cards, text) == []


def test_finds_cards_one_after_the_other() -> None:
    assert texts(cards, "4111111111111111 5555555555554444 378282246310005 123") == [
        "4111111111111111",
        "5555555555554444",
        "378282246310005",
    ]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("IBAN DE89 3704 0044 0532 0130 00 please", ["DE89 3704 0044 0532 0130 00"]),
        ("gb82west12345698765432.", ["gb82west12345698765432"]),
        ("NO93-8601-1117-947", ["NO93-8601-1117-947"]),
        ("MT84MALT011000012345MTLCAST001S", ["MT84MALT011000012345MTLCAST001S"]),
        ("DE89 3704 0044 0532 0130 01", []),
        ("ZZ89 3704 0044 0532 0130 00", []),
        ("DE89 3704 0044 0532", []),
        ("XDE89370400440532013000", []),
    ],
)
def test_finds_ibans(text: str, found: list[str]) -> None:
    assert texts(ibans, text) == found


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("219-09-9998 and 219 09 9998", ["219-09-9998", "219 09 9998"]),
        ("SSN: 219099998", ["219099998"]),
        ("000-12-3456, 666-12-3456, 987-65-4321, 123-00-4567, 219-09 9998, 1219-09-9998", []),
        ("ssn 000123456", []),
        ("219099998", []),
    ],
)
def test_finds_social_security_numbers(text: str, found: list[str]) -> None:
    assert texts(ssns, text) == found


@pytest.mark.parametrize(
    "number",
    [
        "+1 212-555-0123",
        "+442079460958",
        "+49 (0) 30 901820",
        "(415) 555-2671",
        "415.555.2671",
        "1-415-555-2671",
        "020 7946 0958",
        "06 12 34 56 78",
        "030/901820-12",
        "138 0013 8000",
        "(11) 96123-4567",
        "612 34 56 78",
        "081234 56789",
    ],
)
def test_finds_phone_numbers(number: str) -> None:
    assert texts(phones, f"reach us: {number}.") == [number]


@pytest.mark.parametrize(
    "text", ["Tel. 4155552671", "my phone is 612 345 678", "电话：13800138000", "WhatsApp (11) 91234-5678"]
)
def test_finds_any_notation_behind_a_word_that_announces_it(text: str) -> None:
    assert len(texts(phones, text)) == 1


@pytest.mark.parametrize(
    "text",
    [
        "2024-01-31 12:00, 01.02.2024, 01/02/2024",
        "0.123 456 789",
        "1,234,567 of 7 654 321",
        "192.168.001.100",
        "+999 1234567",
        "415-555-26711",
        "000-000-0000",
        "123456789012",
        "call 12, then 34",
        "in 2019 2020 2021",
        "0 1 2",
    ],
)
def test_takes_no_other_number_for_a_phone(text: str) -> None:
    assert texts(phones, text) == []


def test_counts_the_shape_alone_in_a_flood() -> None:
    flood = "+999 1234567, " * (MAX_PHONE_CHECKS + 3)
    assert texts(phones, flood) == ["+999 1234567"] * 3


@pytest.mark.parametrize(
    ("text", "worth"),
    [("a@b", [True, False, False]), ("1 2 3 4 5 x 6 7", [False, True, False]), ("1234567", [False, True, True])],
)
def test_spares_texts_that_cannot_hold_a_number(text: str, worth: list[bool]) -> None:
    assert [group.worth(text) for group in number_detectors()] == worth
