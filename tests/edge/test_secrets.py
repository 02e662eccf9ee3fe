"""Provider keys bound to their origin, and client keys by their hashes."""

import os
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path

import pytest

from gateway.core.catalog import KeyRef, Provider
from gateway.core.credential import AwsKeys, Bearer
from gateway.core.policy import ClientKey
from gateway.edge.credentials.minter import Minter
from gateway.edge.secrets import LOOK_EVERY_S, KeyRing, Secret, SecretStore, WrongOrigin, origin_of
from tests.support.token_server import token_server

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
    found = ring(kb="hush")
    assert found.identify("hush") == "kb"
    assert "hush" not in repr(found)


def test_knows_a_right_key_again_and_a_wrong_one_never() -> None:
    found = ring(kb="secret-1", ops="secret-2")
    tokens = ("secret-1", "secret-3", "secret-2", "secret-3", "secret-1", "secret-2")
    assert [found.identify(token) for token in tokens] == ["kb", None, "ops", None, "kb", "ops"]


class Lending:
    """A minter whose thread is the test, and a clock."""

    def __init__(self) -> None:
        self.clock = Clock()
        self.minter = Minter(self.clock, lambda _run: None)

    def store(self, environ: dict[str, str], **keys: KeyRef) -> SecretStore:
        providers = {name: Provider(name, "openai", f"{ORIGIN}/v1", ref) for name, ref in keys.items()}
        return SecretStore(providers, self.clock, environ, self.minter)


AZURE = '{"tenant_id": "t", "client_id": "c", "client_secret": "s"}'


def test_has_lent_tokens_as_soon_as_they_come_and_until_they_end() -> None:
    lending = Lending()
    told = '{"access_token": "lent", "expires_in": 3600}'
    with token_server() as server:
        server.answers["/t/oauth2/v2.0/token"] = (200, told)
        environ = {"KEY": AZURE, "AZURE_AUTHORITY_HOST": server.url}
        keys = lending.store(environ, azure=KeyRef(env="KEY"))
        assert (keys.get("azure", ORIGIN), keys.missing()) == (None, {"azure"})
        assert keys.problems() == {"azure": "Entra ID has not answered yet"}
        lending.minter.turn()
        lending.clock.now_s += LOOK_EVERY_S
        assert (keys.get("azure", ORIGIN), keys.missing(), keys.problems()) == (Bearer("lent"), frozenset(), {})
        assert keys.get("azure", ORIGIN) is keys.get("azure", f"{ORIGIN}:443")
        with pytest.raises(WrongOrigin):
            keys.get("azure", "https://evil.example")
        later = lending.store(environ, azure=KeyRef(env="KEY"))
        assert later.get("azure", ORIGIN) == Bearer("lent")  # a new configuration goes on with it
    lending.clock.now_s += 3_600
    assert (keys.get("azure", ORIGIN), keys.missing()) == (None, {"azure"})


def test_takes_aws_keys_out_of_a_document_and_the_workloads_own() -> None:
    lending = Lending()
    document = '{\n  "AccessKeyId": "A",\n  "SecretAccessKey": "s"\n}\n'
    own = {"AWS_ACCESS_KEY_ID": "B", "AWS_SECRET_ACCESS_KEY": "t"}
    keys = lending.store({"KEY": document, **own}, one=KeyRef(env="KEY"), two=KeyRef(identity="aws"))
    lending.minter.turn()
    assert (keys.get("one", ORIGIN), keys.get("two", ORIGIN)) == (AwsKeys("A", "s"), AwsKeys("B", "t"))
    assert repr(keys._held["one"].secret) == f"Secret(…, '{ORIGIN}:443')"


def test_a_document_that_is_nobodys_is_no_key() -> None:
    lending = Lending()
    keys = lending.store({"KEY": '{"a": 1}'}, one=KeyRef(env="KEY"))
    assert (keys.get("one", ORIGIN), keys.missing()) == (None, {"one"})


def test_takes_a_text_that_only_begins_like_a_document_as_it_is() -> None:
    assert Lending().store({"KEY": "{sk-1"}, one=KeyRef(env="KEY")).get("one", ORIGIN) == "{sk-1"


def test_every_cloud_lends_to_the_workload_itself() -> None:
    lending = Lending()
    names = {cloud: KeyRef(identity=cloud) for cloud in ("aws", "azure", "google")}
    assert lending.store({}, **names).problems() == {
        "aws": "AWS has not answered yet",
        "azure": "Entra ID has not answered yet",
        "google": "Google has not answered yet",
    }


def test_a_key_file_of_googles_is_recognised_and_followed(tmp_path: Path) -> None:
    lending = Lending()
    file = tmp_path / "key"
    file.write_text('{"type": "service_account"}')
    keys = lending.store({}, vertex=KeyRef(file=str(file)))
    lending.minter.turn()
    assert "key file" in keys.problems()["vertex"] or "missing" in keys.problems()["vertex"]
    file.write_text("AIza-plain-key")
    lending.clock.now_s += LOOK_EVERY_S
    assert (keys.get("vertex", ORIGIN), keys.problems()) == ("AIza-plain-key", {})
