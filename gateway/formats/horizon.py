"""How long an upstream asks to be left alone, read from its answer's headers.

Three spellings of a time: seconds or an HTTP date (RFC 9110 `Retry-After`), a duration such as `6m0s` or `120ms`
(OpenAI, Groq), RFC 3339 (Anthropic). Wrong values are no values.
"""

import re
from collections.abc import Mapping
from datetime import datetime
from email.utils import parsedate_to_datetime

MAX_HORIZON_S = 86_400.0  # a day: whoever says more means "ask a person"

_DURATION = re.compile(r"(\d+(?:\.\d+)?)(ms|s|m|h|d)")
_UNIT_S = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86_400.0}
_IETF_REMAINING = re.compile(r"\br(?:emaining)?=(\d+)")
_IETF_RESET = re.compile(r"\b(?:t|reset)=(\d+)")


def retry_after_s(headers: Mapping[str, str], now_s: float) -> float | None:
    """Seconds the upstream asks to wait; None where it does not say."""
    millis = _number(headers.get("retry-after-ms"))
    if millis is not None:
        return _bounded(millis / 1000)
    value = headers.get("retry-after")
    if value is None:
        return None
    seconds = _number(value)
    if seconds is None:
        seconds = _http_date_s(value, now_s)
    return None if seconds is None else _bounded(seconds)


def exhausted_s(headers: Mapping[str, str], now_s: float) -> float | None:
    """The longest wait of the limits of which nothing is left; None where something is left of each."""
    waits = [
        wait
        for name, value in headers.items()
        if "ratelimit" in name and (wait := _wait_s(name, value, headers, now_s)) is not None
    ]
    return _bounded(max(waits)) if waits else None


def _wait_s(name: str, value: str, headers: Mapping[str, str], now_s: float) -> float | None:
    if name == "ratelimit":  # the IETF draft's one header, as Hugging Face sends it: `"api";r=0;t=30`
        remaining, reset = _IETF_REMAINING.search(value), _IETF_RESET.search(value)
        return float(reset[1]) if remaining and reset and int(remaining[1]) == 0 else None
    if "remaining" not in name:
        return None
    left = _number(value)
    if left is None or left > 0:
        return None
    told = headers.get(name.replace("remaining", "reset"))
    return None if told is None else reset_s(told, now_s)


def reset_s(value: str, now_s: float) -> float | None:
    """Seconds until a reset told as a number, a duration, a date, or an epoch in seconds or milliseconds."""
    number = _number(value)
    if number is not None:
        if number > 1e12:
            return number / 1000 - now_s
        return number - now_s if number > 1e9 else number
    parts = _DURATION.findall(value)
    if parts and "".join(a + b for a, b in parts) == value.strip():
        return sum(float(amount) * _UNIT_S[unit] for amount, unit in parts)
    try:
        return datetime.fromisoformat(value.strip()).timestamp() - now_s
    except ValueError:
        return None


def _http_date_s(value: str, now_s: float) -> float | None:
    try:
        return parsedate_to_datetime(value).timestamp() - now_s
    except (TypeError, ValueError, OverflowError):
        return None


def _number(value: str | None) -> float | None:
    if value is None:
        return None
    try:
        number = float(value)
    except ValueError:
        return None
    return number if 0 <= number < 1e15 else None


def _bounded(seconds: float) -> float:
    return min(max(seconds, 0.0), MAX_HORIZON_S)
