"""What keys, tokens, passwords in assignments and credentials in URLs look like.

Owns the prefixes that issuers publish so that leaked keys can be recognised. Each pattern is tried only where its
fixed prefix occurs in the text, begins with that prefix (which the engine finds at memory speed) and repeats within
bounds.
"""

import re
from collections.abc import Iterator

from ahocorasick_rs import AhoCorasick

from gateway.core.findings import Detector, DetectorGroup, Finding, FindingKind


def secret_detectors() -> tuple[DetectorGroup, ...]:
    """The detectors of this module, cheapest first. The automatons of prefixes and names are built here."""
    names = AhoCorasick(_NAMES)
    return (
        DetectorGroup(lambda text: any(mark in text for mark in _PRIVATE_KEY_MARKS), (private_keys,)),
        DetectorGroup(lambda text: "://" in text and "@" in text, (url_credentials,)),
        DetectorGroup(lambda text: True, (_api_keys(),)),
        DetectorGroup(lambda text: bool(names.find_matches_as_indexes(text.lower())), (assigned_secrets,)),
    )


# (the literal every such key starts with, what follows). A lookbehind keeps longer words that end like a prefix
# apart; it stands behind the prefix, since a pattern that begins with it could not be searched by its literal.
_KEYS = tuple(
    (prefix, re.compile(rf"{re.escape(prefix)}(?<![A-Za-z0-9]{re.escape(prefix)}){rest}"))
    for prefix, rest in (
        ("sk-", r"(?=[A-Za-z_-]{0,100}\d)[A-Za-z0-9_-]{20,400}"),  # OpenAI, Anthropic, OpenRouter, DeepSeek
        ("AKIA", r"[0-9A-Z]{16}(?![0-9A-Za-z])"),  # AWS access key id
        ("ASIA", r"[0-9A-Z]{16}(?![0-9A-Za-z])"),  # AWS temporary
        ("ghp_", r"[A-Za-z0-9]{36,255}"),
        ("gho_", r"[A-Za-z0-9]{36,255}"),
        ("ghu_", r"[A-Za-z0-9]{36,255}"),
        ("ghs_", r"[A-Za-z0-9]{36,255}"),
        ("ghr_", r"[A-Za-z0-9]{36,255}"),
        ("github_pat_", r"[A-Za-z0-9_]{40,255}"),
        ("glpat-", r"[A-Za-z0-9_-]{20,64}"),  # GitLab
        ("xox", r"[abeoprs]-[A-Za-z0-9-]{10,255}"),  # Slack
        ("xapp-", r"[A-Za-z0-9-]{20,255}"),  # Slack app
        ("AIza", r"[0-9A-Za-z_-]{35}"),  # Google
        ("ya29.", r"[0-9A-Za-z_-]{20,400}"),  # Google OAuth
        ("sk_live_", r"[0-9A-Za-z]{16,255}"),  # Stripe
        ("sk_test_", r"[0-9A-Za-z]{16,255}"),
        ("rk_live_", r"[0-9A-Za-z]{16,255}"),
        ("rk_test_", r"[0-9A-Za-z]{16,255}"),
        ("whsec_", r"[0-9A-Za-z+/=]{24,255}"),
        ("hf_", r"[A-Za-z]{30,64}"),  # Hugging Face
        ("gsk_", r"[A-Za-z0-9]{40,64}"),  # Groq
        ("xai-", r"[A-Za-z0-9]{40,128}"),
        ("r8_", r"[A-Za-z0-9]{30,64}"),  # Replicate
        ("pplx-", r"[A-Za-z0-9]{40,64}"),  # Perplexity
        ("npm_", r"[A-Za-z0-9]{36}"),
        ("pypi-", r"AgE[A-Za-z0-9_-]{50,400}"),
        ("SG.", r"[A-Za-z0-9_-]{16,32}\.[A-Za-z0-9_-]{32,64}"),  # SendGrid
        ("shpat_", r"[a-fA-F0-9]{32}"),  # Shopify
        ("dop_v1_", r"[a-f0-9]{64}"),  # DigitalOcean
        ("eyJ", r"[A-Za-z0-9_-]{8,1024}\.eyJ[A-Za-z0-9_-]{8,1024}"),  # JSON web token: its first two parts
    )
)


def _api_keys() -> Detector:
    """Keys and tokens that carry their issuer's prefix; one pass tells which patterns are worth trying."""
    prefixes = AhoCorasick([prefix for prefix, _ in _KEYS])

    def api_keys(text: str) -> Iterator[Finding]:
        for index in sorted({index for index, _, _ in prefixes.find_matches_as_indexes(text)}):
            for match in _KEYS[index][1].finditer(text):
                yield Finding(FindingKind.API_KEY, *match.span())

    return api_keys


_PRIVATE_KEY = re.compile(
    r"-----BEGIN (?:[A-Z0-9]{1,12} ){0,4}PRIVATE KEY(?: BLOCK)?-----"
    r"|PuTTY-User-Key-File-[0-9]|AGE-SECRET-KEY-1[A-Z0-9]{20}"
)
_PRIVATE_KEY_MARKS = ("PRIVATE KEY", "PuTTY-User-Key-File-", "AGE-SECRET-KEY-1")


def private_keys(text: str) -> Iterator[Finding]:
    """The first line of a private key file (PEM, PGP, PuTTY, age)."""
    for match in _PRIVATE_KEY.finditer(text):
        yield Finding(FindingKind.PRIVATE_KEY, *match.span())


_URL_USER = re.compile(r"://[^\s:/@?#]{0,64}:(?![$<{%*])[^\s/@]{3,256}@")


def url_credentials(text: str) -> Iterator[Finding]:
    """A password in a URL: scheme://user:password@host."""
    for match in _URL_USER.finditer(text):
        yield Finding(FindingKind.URL_CREDENTIALS, *match.span())


_NAMES = (
    "password", "passwd", "passphrase", "passwort", "kennwort", "contraseña", "mot de passe", "密码", "pwd", "secret",
    "api_key", "api-key", "apikey", "api key", "access_token", "access-token", "accesstoken", "auth_token", "authtoken",
    "access_key", "accesskey", "accountkey", "private_key", "bearer",
)  # fmt: skip
_ASSIGNED = re.compile(
    rf"(?:{'|'.join(map(re.escape, _NAMES))})[a-z0-9_]{{0,20}}"
    r"[\"'\]]{0,3}\s{0,4}(?:=>|:=|={1,3}|[:：]|\bis\b|\bist\b|\bes\b|\best\b|是|(?<=bearer))\s{0,4}[@]?"
    r"(?:\"([^\"\s]{6,200})\"|'([^'\s]{6,200})'|([^\s\"',;]{6,200}))",
    re.IGNORECASE,
)
_PLACEHOLDER = re.compile(
    r"(?i)\A(?:[$<{%*]|your)|[(\[]|\.\.\.|\*\*\*|xxx|example|placeholder|changeme|change_me|redacted|process\.env|os\.env"
)


def assigned_secrets(text: str) -> Iterator[Finding]:
    """A name such as `password` with a literal value: quoted, or holding a digit or a sign as made-up words do not.

    Placeholders, variables and calls are code, not secrets.
    """
    for match in _ASSIGNED.finditer(text):
        quoted, value = match.lastindex != 3, match[match.lastindex or 3]
        if not _PLACEHOLDER.search(value) and (quoted or not value.rstrip(".!?)").replace("_", "").isalpha()):
            yield Finding(FindingKind.ASSIGNED_SECRET, *match.span())
