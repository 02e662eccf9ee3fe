import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.core.findings import Finding, FindingKind
from gateway.core.scan import OVERLAP_CHARS, PIECE_CHARS, Scanner, pieces

CARD = "4111 1111 1111 1111"
IBAN = "DE89 3704 0044 0532 0130 00"
EMAIL = "anna.smith@example.com"
PHONE = "+49 30 901820"
PROSE = "The meeting on 12 March 2024 went on for 3 hours; nobody knew why. "


@pytest.fixture(scope="module")
def scanner() -> Scanner:
    return Scanner.compile()


def told(scanner: Scanner, text: str) -> list[tuple[str, str]]:
    plain = scanner.plain(text)
    return [(finding.kind.value, plain[finding.start : finding.end]) for finding in scanner.scan(text)]


def test_tells_all_findings_by_position(scanner: Scanner) -> None:
    assert told(scanner, f"{CARD}, {EMAIL}; {IBAN} or {PHONE}, password=hunter2") == [
        ("card", CARD),
        ("email", EMAIL),
        ("iban", IBAN),
        ("phone", PHONE),
        ("assigned_secret", "password=hunter2"),
    ]


def test_finds_nothing_in_prose(scanner: Scanner) -> None:
    assert (scanner.scan(PROSE * 20), scanner.find_first([PROSE * 20, ""]), scanner.kinds([PROSE])) == (
        (),
        None,
        frozenset(),
    )


def test_tells_a_first_finding_of_several_texts(scanner: Scanner) -> None:
    assert scanner.find_first([PROSE, f"to {EMAIL}", CARD]) == Finding(FindingKind.EMAIL, 3, 25)


def test_tells_the_kinds_in_all_texts(scanner: Scanner) -> None:
    assert scanner.kinds([f"{EMAIL} {EMAIL}", PROSE, CARD]) == {FindingKind.EMAIL, FindingKind.CARD}


def test_does_not_tell_a_phone_number_inside_another_finding(scanner: Scanner) -> None:
    assert told(scanner, f"call 4111 1111 1111 1111, {PHONE}, {CARD}, call +1 212 555 0123") == [
        ("card", CARD),
        ("phone", PHONE),
        ("card", CARD),
        ("phone", "+1 212 555 0123"),
    ]
    assert told(scanner, "mail 2125550123.2125550124@example.com or phone 212-555-0123") == [
        ("email", "2125550123.2125550124@example.com"),
        ("phone", "212-555-0123"),
    ]


@pytest.mark.parametrize(
    "disguised",
    [
        "４１１１ １１１１ １１１１ １１１１",
        "4111\u200b 1111\u2060 1111 1111",
        "4111\u00a01111\u20111111\u20131111",
        "٤١١١ ١١١١ ١١١١ ١١١١",
        "𝟒𝟏𝟏𝟏 𝟏𝟏𝟏𝟏 𝟏𝟏𝟏𝟏 𝟏𝟏𝟏𝟏",
        "\u00ad4\u00ad1\u00ad1\u00ad1-1111-1111-1111",
        r'{"card": "\u0034111 1111 1111 1\u00311\u0031"}',
    ],
)
def test_sees_through_simple_disguises(scanner: Scanner, disguised: str) -> None:
    assert scanner.kinds([disguised]) == {FindingKind.CARD}


def test_leaves_texts_without_disguises_alone(scanner: Scanner) -> None:
    assert scanner.plain("今天 jörg") == "今天 jörg"
    assert scanner.plain("ＡＢ😀𝐂") == "AB😀C"
    assert scanner.plain(r"\u00e4 \u0007 \u00zz") == r"\u00e4 \u0007 \u00zz"


@given(before=st.text(max_size=60), after=st.text(max_size=60), planted=st.sampled_from([CARD, IBAN, EMAIL, PHONE]))
def test_finds_what_is_planted_between_spaces_in_any_text(
    scanner: Scanner, before: str, after: str, planted: str
) -> None:
    assert scanner.find_first([f"{before} | {planted} | {after}"]) is not None


@given(st.text(alphabet="0123456789 -", max_size=300))
def test_reports_only_numbers_with_a_right_check_digit(scanner: Scanner, noise: str) -> None:
    for finding in scanner.scan(noise):
        if finding.kind is FindingKind.CARD:
            digits = [int(c) for c in noise[finding.start : finding.end] if c.isdigit()][::-1]
            assert (sum(digits[::2]) + sum(sum(divmod(2 * d, 10)) for d in digits[1::2])) % 10 == 0
        assert finding.kind is not FindingKind.IBAN


@given(st.integers(0, 3 * PIECE_CHARS))
def test_finds_in_some_piece_what_is_in_the_whole(scanner: Scanner, position: int) -> None:
    text = "x " * (position // 2) + EMAIL + " x" * ((3 * PIECE_CHARS - position) // 2)
    assert scanner.find_first(pieces(text)) is not None


@pytest.mark.parametrize(
    ("size", "sizes"),
    [(0, [0]), (PIECE_CHARS, [PIECE_CHARS]), (PIECE_CHARS + 1, [PIECE_CHARS, OVERLAP_CHARS + 1])],
)
def test_cuts_pieces_only_where_it_must(size: int, sizes: list[int]) -> None:
    assert [len(piece) for piece in pieces("x" * size)] == sizes


FLOODS = {
    "at signs": "@" * 50_000,
    "addresses without an end": ("a" * 64 + "@" + "b." * 8) * 600,
    "digits": "1" * 50_000,
    "loose digits": "1 " * 25_000,
    "card-like groups": "4112-" * 10_000,
    "iban-like words": "DE12 " * 10_000,
    "plus signs": "+1 " * 16_000,
    "announced numbers": "tel 12345678 " * 4_000,
    "key prefixes": "sk-" * 16_000,
    "token prefixes": "eyJ" * 16_000,
    "urls": "://a:" * 10_000 + "@",
    "names of secrets": "password = " * 4_500,
    "spaces after a name": "password" + " " * 50_000,
    "combining marks": "a" + "\u0301\u0323" * 25_000,
    "random digits": "".join(random.Random(3).choices("0123456789 -.", k=50_000)),
}


@pytest.mark.parametrize("name", FLOODS)
def test_works_in_proportion_to_the_text_whatever_it_is(scanner: Scanner, name: str) -> None:
    """A quadratic pattern would take minutes here; the test has no clock, the suite's patience is the limit."""
    scanner.scan(FLOODS[name] * 4)
