import pytest

from gateway.core.scan import Finding
from gateway.core.scan_secrets import secret_detectors

DIGITS = "1234567890" * 30
LETTERS = "abcdefghij" * 30


def found(text: str) -> list[tuple[str, str]]:
    findings: list[Finding] = []
    for group in secret_detectors():
        if group.worth(text):
            findings += [finding for detector in group.detectors for finding in detector(text)]
    return [(finding.kind.value, text[finding.start : finding.end]) for finding in findings]


@pytest.mark.parametrize(
    "key",
    [
        f"sk-{LETTERS[:30]}{DIGITS[:18]}",
        f"sk-proj-{LETTERS[:60]}_{DIGITS[:40]}",
        f"sk-ant-api03-{LETTERS[:60]}-{DIGITS[:30]}AA",
        "AKIA" + "IOSFODNN7EXAMPL" + "E",
        "ASIA" + "IOSFODNN7EXAMPL" + "E",
        f"ghp_{DIGITS[:36]}",
        f"ghs_{LETTERS[:36]}",
        f"github_pat_{DIGITS[:22]}_{LETTERS[:59]}",
        f"glpat-{DIGITS[:20]}",
        f"xoxb-{DIGITS[:12]}-{LETTERS[:20]}",
        f"AIza{LETTERS[:35]}",
        f"sk_live_{DIGITS[:24]}",
        f"hf_{LETTERS[:34]}",
        f"gsk_{LETTERS[:52]}",
        f"npm_{LETTERS[:36]}",
        f"SG.{LETTERS[:22]}.{LETTERS[:43]}",
        "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0",
    ],
)
def test_finds_keys_by_their_issuers_prefix(key: str) -> None:
    assert found(f"use '{key}' here") == [("api_key", key)]


@pytest.mark.parametrize(
    "text",
    [
        f"task-{DIGITS[:30]}",
        "sk-learn-is-a-library-for-machine-learning",
        "sk-123",
        "AKIAtoo-short",
        f"AKIA{DIGITS[:17]}",
        "eyJhbGciOiJIUzI1NiJ9",
        "hf_transfer",
    ],
)
def test_takes_no_other_word_for_a_key(text: str) -> None:
    assert found(text) == []


@pytest.mark.parametrize(
    "line",
    [
        "-----BEGIN PRIVATE KEY-----",
        "-----BEGIN RSA PRIVATE KEY-----",
        "-----BEGIN OPENSSH PRIVATE KEY-----",
        "-----BEGIN ENCRYPTED PRIVATE KEY-----",
        "-----BEGIN PGP PRIVATE KEY BLOCK-----",
        "PuTTY-User-Key-File-3",
    ],
)
def test_finds_private_keys_by_their_first_line(line: str) -> None:
    assert found(f"x\n{line}\nMIIE...") == [("private_key", line)]


def test_leaves_public_keys_alone() -> None:
    assert found("-----BEGIN PUBLIC KEY-----, and a PRIVATE KEY is secret, they say") == []


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("postgres://app:hunter2@db:5432/x", [("url_credentials", "://app:hunter2@")]),
        ("redis://:s3cret@cache", [("url_credentials", "://:s3cret@")]),
        ("https://example.com:8080/@me", []),
        ("https://user:$PASS@host, https://user:<token>@host", []),
        ("https://a.b/c?d=e@f", []),
    ],
)
def test_finds_credentials_in_urls(text: str, expected: list[tuple[str, str]]) -> None:
    assert found(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "password=hunter2",
        'my_password = "hopenobodyfindsthis"',
        "some_dict['secret'] = 'hopenobody'",
        '"theapikey": "f00-bar-baz"',
        "PASSWORD: Tr0ub4dor&3",
        "apikey := 'abcdefgh'",
        "api_key => k3y-for-all",
        "my password is hunter2!",
        "Das Passwort ist geheim123",
        "Authorization: Bearer abcdef0123456789",
        "AccountKey=abc123def456==",
        "密码：abc12345",
    ],
)
def test_finds_secrets_by_their_name(text: str) -> None:
    assert [kind for kind, _ in found(text)] == ["assigned_secret"]


@pytest.mark.parametrize(
    "text",
    [
        "password: str",
        "password: required",
        "the secret is that we never gave up",
        'password = ""',
        "password = ${DB_PASS1}",
        "password=<your1password>",
        "my_password = request.json_body['hey1']",
        "api_key = os.environ1",
        'api_key = "your-key-1"',
        "login(password=password)",
        "secret = get_secret1(x)",
        "password: ********",
        "a bearer of 12345678 news",
    ],
)
def test_takes_code_and_placeholders_for_no_secret(text: str) -> None:
    assert found(text) == []
