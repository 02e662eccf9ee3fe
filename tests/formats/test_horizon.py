import pytest

from gateway.formats.horizon import MAX_HORIZON_S, exhausted_s, reset_s, retry_after_s

NOW_S = 1_764_000_000.0  # Mon, 24 Nov 2025 16:00:00 GMT


@pytest.mark.parametrize(
    ("headers", "wanted"),
    [
        ({}, None),
        ({"retry-after": "30"}, 30.0),
        ({"retry-after": "1.5"}, 1.5),
        ({"retry-after": "0"}, 0.0),
        ({"retry-after-ms": "1500", "retry-after": "9"}, 1.5),
        ({"retry-after": "Mon, 24 Nov 2025 16:00:20 GMT"}, 20.0),
        ({"retry-after": "Mon, 24 Nov 2025 15:00:00 GMT"}, 0.0),
        ({"retry-after": "soon"}, None),
        ({"retry-after": "-5"}, None),
        ({"retry-after": "nan"}, None),
        ({"retry-after": "99999999"}, MAX_HORIZON_S),
    ],
)
def test_reads_retry_after(headers: dict[str, str], wanted: float | None) -> None:
    assert retry_after_s(headers, NOW_S) == wanted


@pytest.mark.parametrize(
    ("told", "wanted"),
    [
        ("1s", 1.0),
        ("6m0s", 360.0),
        ("120ms", 0.12),
        ("1h2m3.5s", 3723.5),
        ("2d", 172_800.0),
        ("12", 12.0),
        (str(int(NOW_S) + 5), 5.0),
        (str((int(NOW_S) + 5) * 1000), 5.0),
        ("2025-11-24T16:00:07Z", 7.0),
        ("", None),
        ("never", None),
        ("1s later", None),
    ],
)
def test_reads_every_spelling_of_a_reset(told: str, wanted: float | None) -> None:
    assert reset_s(told, NOW_S) == pytest.approx(wanted)


def test_waits_for_the_last_of_the_exhausted_limits() -> None:
    headers = {
        "x-ratelimit-remaining-requests": "0",
        "x-ratelimit-reset-requests": "1s",
        "x-ratelimit-remaining-tokens": "0",
        "x-ratelimit-reset-tokens": "6m0s",
        "x-ratelimit-limit-tokens": "0",
    }
    assert exhausted_s(headers, NOW_S) == 360.0


def test_does_not_wait_while_something_is_left() -> None:
    headers = {"x-ratelimit-remaining-requests": "1", "x-ratelimit-reset-requests": "1s", "content-type": "x"}
    assert exhausted_s(headers, NOW_S) is None


def test_reads_anthropic_dates() -> None:
    headers = {
        "anthropic-ratelimit-tokens-remaining": "0",
        "anthropic-ratelimit-tokens-reset": "2025-11-24T16:00:30Z",
        "anthropic-ratelimit-requests-remaining": "49",
        "anthropic-ratelimit-requests-reset": "2025-11-24T17:00:00Z",
    }
    assert exhausted_s(headers, NOW_S) == 30.0


@pytest.mark.parametrize(
    ("headers", "wanted"),
    [
        ({"ratelimit": '"api";r=0;t=30'}, 30.0),
        ({"ratelimit": '"api";r=4;t=30'}, None),
        ({"ratelimit": "limit=10"}, None),
        ({"x-ratelimit-remaining": "0"}, None),
        ({"x-ratelimit-remaining": "none", "x-ratelimit-reset": "1"}, None),
        ({"x-ratelimit-remaining": "0", "x-ratelimit-reset": "1"}, 1.0),
    ],
)
def test_reads_other_spellings(headers: dict[str, str], wanted: float | None) -> None:
    assert exhausted_s(headers, NOW_S) == wanted
