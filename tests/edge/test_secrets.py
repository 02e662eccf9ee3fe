"""Provider keys bound to their origin, and client keys by their hashes."""

import os
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path

import pytest

from gateway.core.catalog import KeyRef, Provider
from gateway.core.policy import ClientKey
from gateway.edge.secrets import LOOK_EVERY_S, KeyRing, Secret, SecretStore, WrongOrigin, origin_of

ORIGIN = "https://api.openai.com"


class Clock:
    def __init__(self) -> None:
        self.now_s = 100.0

    def __call__(self) -> float:
        return self.now_s


def store(clock: Callable[[], float], environ: dict[str, str], **keys: KeyRef) -> SecretStore:
    providers = {name: Provider(name, "openai", f"{ORIGIN}/v1", ref) for name, ref in keys.items()}
    return SecretStore(providers, clock, environ)


def test_gives_a_key_to_its_own_origin_however_it_is_spelt() -> None:
    keys = store(Clock(), {"A": "sk-1"}, openai=KeyRef(env="A"))
    assert [
        keys.get("openai", origin) for origin in (ORIGIN, f"{ORIGIN}:443", "https://API.openai.com/v1", ORIGIN)
    ] == ["sk-1"] * 4


@pytest.mark.parametrize(
    "origin", ["https://evil.example", "http://api.openai.com", f"{ORIGIN}:8443", f"{ORIGIN}.evil.example", ""]
)
def test_gives_it_to_no_other(origin: str) -> None:
    keys = store(Clock(), {"A": "sk-1"}, openai=KeyRef(env="A"))
    keys.get("openai", ORIGIN)
    with pytest.raises(WrongOrigin) as refused:
        keys.get("openai", origin)
    assert "sk-1" not in str(refused.value)


def test_has_none_where_there_is_none_or_none_is_needed() -> None:
    keys = store(Clock(), {}, local=KeyRef(none=True), bare=KeyRef(env="A"))
    assert (keys.get("local", ORIGIN), keys.get("bare", ORIGIN)) == (None, None)
    assert keys.missing() == {"bare"}


def test_does_not_know_providers_that_are_not_configured() -> None:
    with pytest.raises(KeyError):
        store(Clock(), {}).get("openai", ORIGIN)


def test_reads_a_file_again_when_it_changes_but_not_at_every_request(tmp_path: Path) -> None:
    path, clock = tmp_path / "key", Clock()
    path.write_text("one\n")
    keys = store(clock, {}, openai=KeyRef(file=str(path)))
    path.write_text("second\n")
    assert keys.get("openai", ORIGIN) == "one"
    clock.now_s += LOOK_EVERY_S
    assert keys.get("openai", ORIGIN) == "second"


def test_sees_a_symlink_that_is_swapped(tmp_path: Path) -> None:
    clock = Clock()
    for name in ("v1", "v2"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "key").write_text(name)
        os.utime(tmp_path / name / "key", (1, 1))
    (tmp_path / "data").symlink_to("v1")
    (tmp_path / "key").symlink_to("data/key")
    keys = store(clock, {}, openai=KeyRef(file=str(tmp_path / "key")))
    (tmp_path / "next").symlink_to("v2")
    (tmp_path / "next").rename(tmp_path / "data")
    clock.now_s += LOOK_EVERY_S
    assert keys.get("openai", ORIGIN) == "v2"


def test_a_key_that_goes_is_missing_and_one_that_comes_is_found(tmp_path: Path) -> None:
    path, clock = tmp_path / "key", Clock()
    keys = store(clock, {"A": "x"}, one=KeyRef(file=str(path)), other=KeyRef(env="A"))
    before = keys.missing()
    path.write_text("sk")
    assert keys.missing() is before == {"one"}
    clock.now_s += LOOK_EVERY_S
    assert keys.missing() == set()
    path.unlink()
    clock.now_s += LOOK_EVERY_S
    assert (keys.missing(), keys.get("one", ORIGIN)) == ({"one"}, None)


def test_nothing_missing_stays_the_same_object_while_nothing_changes() -> None:
    clock = Clock()
    keys = store(clock, {}, one=KeyRef(env="A"))
    before = keys.missing()
    clock.now_s += LOOK_EVERY_S
    assert keys.missing() is before


def test_a_secret_is_masked_wherever_it_is_printed() -> None:
    secret = Secret("sk-very-secret", origin_of(ORIGIN))
    assert repr(secret) == str(secret) == f"{secret}" == "Secret(…, 'https://api.openai.com:443')"
    assert secret.for_origin(ORIGIN) == "sk-very-secret"


def test_origins_have_their_port_written() -> None:
    assert [origin_of(url) for url in ("http://H/v1", "https://h:8443", "http://[::1]:80/x", "nonsense")] == [
        "http://h:80",
        "https://h:8443",
        "http://::1:80",
        "://None:0",
    ]


def ring(**keys: str) -> KeyRing:
    return KeyRing(tuple(ClientKey(name, sha256(key.encode()).digest()) for name, key in keys.items()))


def test_identifies_clients_by_their_keys() -> None:
    found = ring(kb="secret-1", ops="geheim-ü")
    assert [found.identify(token) for token in ("secret-1", "geheim-ü", "secret-2", "", "\ud800")] == [
        "kb",
        "ops",
        None,
        None,
        None,
    ]


def test_shows_no_hashes() -> None:
    assert repr(ring(kb="secret")) == "KeyRing()"
