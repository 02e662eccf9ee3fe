"""Upstream words made safe to show: no keys, no HTML, no novels."""

import re

MAX_MESSAGE_CHARS = 2_000

_SECRET = re.compile(
    r"""(?xi)
    \b(?:bearer|basic)\s+[\w\-.~+/=*]{6,}                        # an Authorization header, echoed
    | \b(?:sk|pk|rk|gsk|xai|hf|nvapi|pplx|csk|tgp|key|token)[-_][\w\-*.]{6,}
    | \bAIza[\w\-]{20,} | \bAKIA[0-9A-Z]{12,} | \beyJ[\w\-]{10,}(?:\.[\w\-]+){0,2}
    | (?<=key\sprovided:\s)\S+ | (?<=api\skey:\s)\S+ | (?<=api_key=)\S+ | (?<=x-api-key:\s)\S+
    | \b(?=[A-Za-z0-9\-]*\d)(?=[A-Za-z0-9\-]*[A-Za-z])[A-Za-z0-9\-]{36,}  # long and mixed: a key or an id
    """
)
_HTML = re.compile(rb"^\s*(?:<!doctype|<html|<head|<\?xml|<body)", re.IGNORECASE)


def is_html(body: bytes) -> bool:
    return _HTML.match(body[:200]) is not None


def safe(text: str) -> str:
    """`text` with everything masked that looks like a secret, at most `MAX_MESSAGE_CHARS` long."""
    shown = _SECRET.sub("***", text[: 2 * MAX_MESSAGE_CHARS])
    return shown if len(shown) <= MAX_MESSAGE_CHARS else shown[: MAX_MESSAGE_CHARS - 1] + "…"
