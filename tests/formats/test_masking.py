import pytest

from gateway.formats.masking import MAX_MESSAGE_CHARS, is_html, safe


@pytest.mark.parametrize(
    ("said", "shown"),
    [
        ("Incorrect API key provided: sk-canary-123456. You can", "Incorrect API key provided: *** You can"),
        ("Incorrect API key provided: canary*****1234.", "Incorrect API key provided: ***"),
        (
            "wrong api key: canary, x-api-key: canary2 and ?api_key=canary3",
            "wrong api key: *** x-api-key: *** and ?api_key=***",
        ),
        ("Authorization: Bearer abc-canary-456 is wrong", "Authorization: *** is wrong"),
        ("key sk-proj-abcDEF_123-xyz0 expired", "key *** expired"),
        ("gsk_canary0123456789 and xai-canary0123456 and hf_canary01234567", "*** and *** and ***"),
        ("AIzaSyCanary0123456789012345 is invalid", "*** is invalid"),
        ("bad AKIAABCDEFGHIJKLMNOP", "bad ***"),
        ("jwt eyJhbGciOiJIUzI1NiJ9.eyJzdWIi.c2ln", "jwt ***"),
        ("hex 0123456789abcdef0123456789abcdef0123", "hex ***"),
        ("The model gpt-4o-2024-08-06 has a limit of 128000 tokens", None),
        ("messages[2].content must be a string", None),
    ],
)
def test_masks_what_looks_like_a_secret(said: str, shown: str | None) -> None:
    assert safe(said) == (said if shown is None else shown)


def test_cuts_long_messages() -> None:
    assert safe("x " * 5_000) == ("x " * 5_000)[: MAX_MESSAGE_CHARS - 1] + "…"


@pytest.mark.parametrize("page", [b"<!DOCTYPE html><html>", b"\n <html lang=en>", b"<?xml version", b"<HEAD>"])
def test_knows_a_page(page: bytes) -> None:
    assert is_html(page)


@pytest.mark.parametrize("other", [b"", b"{}", b"data: <html>", b"a <html>"])
def test_knows_what_is_no_page(other: bytes) -> None:
    assert not is_html(other)
