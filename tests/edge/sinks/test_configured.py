"""Sinks from variables and key files."""

import json
from collections.abc import Mapping
from pathlib import Path

import pytest

from gateway.edge.sinks.configured import SINKS, Here, couriers_of
from gateway.edge.sinks.otlp import Unusable
from gateway.settings import Settings, SettingsError, read_settings
from tests.support.decisions import ANSWERED
from tests.support.receiver import receiving

SECRETS = ("pk-lf-canary", "sk-lf-canary", "sk-he-canary", "t-canary", "s-canary")


def here(tmp_path: Path, environ: Mapping[str, str]) -> Here:
    return Here(environ, lambda: {"service.name": "gate"}, str(tmp_path))


def everything(url: str) -> dict[str, str]:
    return {
        "OTEL_EXPORTER_OTLP_ENDPOINT": url,
        "LANGFUSE_HOST": url,
        "LANGFUSE_PUBLIC_KEY": SECRETS[0],
        "LANGFUSE_SECRET_KEY": SECRETS[1],
        "HELICONE_BASE_URL": url + "/he",
        "HELICONE_API_KEY": SECRETS[2],
        "POINTSMAN_WEBHOOK_URL": url + "/hook",
        "POINTSMAN_WEBHOOK_TOKEN": SECRETS[3],
        "POINTSMAN_WEBHOOK_SIGNING_KEY": SECRETS[4],
    }


def test_sends_to_each_sink_where_its_variables_say(tmp_path: Path) -> None:
    with receiving() as receiver:
        for courier in couriers_of(tuple(SINKS), here(tmp_path, everything(receiver.url))):
            courier.add(ANSWERED)
            courier.close(20.0)
            assert (courier.delivered, courier.dropped) == (1, 0), courier.name
        sent = {one.path: one.headers.get("authorization", "").split(" ")[0] for one in receiver.sent}
    assert sent == {
        "/v1/logs": "",
        "/api/public/otel/v1/traces": "Basic",
        "/he/custom/v1/log": "Bearer",
        "/hook": "Bearer",
    }


def test_makes_none_where_none_is_named(tmp_path: Path) -> None:
    assert couriers_of((), here(tmp_path, {})) == []


@pytest.mark.parametrize(
    ("sink", "without", "words"),
    [
        ("otlp_logs", "OTEL_EXPORTER_OTLP_ENDPOINT", "otlp_logs needs OTEL_EXPORTER_OTLP_ENDPOINT or OTEL_"),
        ("langfuse", "LANGFUSE_PUBLIC_KEY", "langfuse needs LANGFUSE_PUBLIC_KEY, or the file HERE/langfuse/public-key"),
        ("langfuse", "LANGFUSE_SECRET_KEY", "langfuse needs LANGFUSE_SECRET_KEY, or the file HERE/langfuse/secret-key"),
        ("helicone", "HELICONE_API_KEY", "helicone needs HELICONE_API_KEY, or the file HERE/helicone/api-key"),
        ("webhook", "POINTSMAN_WEBHOOK_URL", "POINTSMAN_WEBHOOK_URL: must be set"),
    ],
)
def test_says_what_a_sink_lacks(tmp_path: Path, sink: str, without: str, words: str) -> None:
    environ = everything("http://127.0.0.1:1")
    del environ[without]
    with pytest.raises(Unusable) as caught:
        couriers_of((sink,), here(tmp_path, environ))
    assert words.replace("HERE", str(tmp_path)) in str(caught.value)
    assert not any(secret in str(caught.value) for secret in SECRETS)


@pytest.mark.parametrize("url", ["ftp://x", "langfuse.example", "https://", "https://me:s-canary@x"])
@pytest.mark.parametrize(
    ("sink", "variable"),
    [("langfuse", "LANGFUSE_HOST"), ("helicone", "HELICONE_BASE_URL"), ("webhook", "POINTSMAN_WEBHOOK_URL")],
)
def test_refuses_what_is_no_url(tmp_path: Path, sink: str, variable: str, url: str) -> None:
    with pytest.raises(Unusable, match=f"^{variable}: must ") as caught:
        couriers_of((sink,), here(tmp_path, everything("http://127.0.0.1:1") | {variable: url}))
    assert "canary" not in str(caught.value)


def test_reads_keys_from_files_where_no_variable_has_them(tmp_path: Path) -> None:
    for path in ("langfuse/public-key", "langfuse/secret-key", "helicone/api-key"):
        (tmp_path / path).parent.mkdir(exist_ok=True)
        (tmp_path / path).write_text("from-a-file\n")
    with receiving() as receiver:
        urls = {"LANGFUSE_BASE_URL": receiver.url, "HELICONE_BASE_URL": receiver.url}
        couriers = couriers_of(("helicone", "langfuse", "helicone"), here(tmp_path, urls))
        for courier in couriers:
            courier.add(ANSWERED)
            courier.close(20.0)
        helicone = json.loads(receiver.sent[0].body)
    assert [courier.name for courier in couriers] == ["helicone", "langfuse"]
    assert helicone["providerRequest"]["url"] == "custom-model-nopath"
    assert receiver.sent[0].headers["authorization"] == "Bearer from-a-file"


def test_knows_the_defaults_of_hosted_sinks(tmp_path: Path) -> None:
    place = here(tmp_path, {})
    assert place.url(("LANGFUSE_HOST",), "https://cloud.langfuse.com") == "https://cloud.langfuse.com"


def test_names_every_sink_in_the_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("POINTSMAN_SINKS", ", ".join(SINKS) + ",")
    assert Settings().sinks == tuple(SINKS)
    monkeypatch.setenv("POINTSMAN_SINKS", "langfuse,langsmith")
    with pytest.raises(SettingsError, match=r'POINTSMAN_SINKS: "langsmith" cannot be used: it must be'):
        read_settings()
