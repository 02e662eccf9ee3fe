"""OTLP's variables, who speaks, and one exchange with a collector."""

import socket
import ssl
from contextlib import closing
from pathlib import Path

import pytest

from gateway.edge.courier import Undelivered
from gateway.edge.sinks.otlp import Collector, Target, Unusable, resource_of, target_of
from tests.support.certificates import self_signed
from tests.support.receiver import Reply, receiving

THERE = {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://collector:4318"}


# -- where to ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("environ", "url"),
    [
        ({}, None),
        ({"OTEL_EXPORTER_OTLP_ENDPOINT": " "}, None),
        (THERE, "http://collector:4318/v1/traces"),
        ({"OTEL_EXPORTER_OTLP_ENDPOINT": "https://c.test/otlp/"}, "https://c.test/otlp/v1/traces"),
        ({"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "https://c.test/mine"}, "https://c.test/mine"),
        ({**THERE, "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "https://c.test/mine"}, "https://c.test/mine"),
        ({**THERE, "OTEL_SDK_DISABLED": "TRUE"}, None),
        ({**THERE, "OTEL_TRACES_EXPORTER": "none"}, None),
        ({**THERE, "OTEL_LOGS_EXPORTER": "none"}, "http://collector:4318/v1/traces"),
    ],
)
def test_goes_where_the_variables_say(environ: dict[str, str], url: str | None) -> None:
    target = target_of(environ, "traces")
    assert (target and target.url) == url


def test_reads_all_that_can_be_said_of_the_way() -> None:
    environ = {
        **THERE, "OTEL_EXPORTER_OTLP_HEADERS": "a=1", "OTEL_EXPORTER_OTLP_TIMEOUT": "2500",
        "OTEL_EXPORTER_OTLP_COMPRESSION": "none", "OTEL_EXPORTER_OTLP_PROTOCOL": "http/protobuf",
        "OTEL_EXPORTER_OTLP_TRACES_HEADERS": "authorization=Basic%20eDp5, x-scope-orgid = 7,",
    }  # fmt: skip
    headers = {"authorization": "Basic eDp5", "x-scope-orgid": "7"}
    assert target_of(environ, "traces") == Target("http://collector:4318/v1/traces", headers, 2.5, False)
    assert target_of(environ, "logs") == Target("http://collector:4318/v1/logs", {"a": "1"}, 2.5, False)


def test_never_shows_a_header() -> None:
    assert "s3cret" not in repr(target_of({**THERE, "OTEL_EXPORTER_OTLP_HEADERS": "k=s3cret"}, "traces"))


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("OTEL_EXPORTER_OTLP_ENDPOINT", "collector:4318"),
        ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "http://"),
        ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://u:s3cret@c.test"),
        ("OTEL_EXPORTER_OTLP_HEADERS", "s3cret"),
        ("OTEL_EXPORTER_OTLP_HEADERS", "a b=s3cret"),
        ("OTEL_EXPORTER_OTLP_HEADERS", "=s3cret"),
        ("OTEL_EXPORTER_OTLP_HEADERS", "a=s3cret%0d%0ax: y"),
        ("OTEL_EXPORTER_OTLP_HEADERS", "a=s3cret%C3%BC"),
        ("OTEL_EXPORTER_OTLP_TIMEOUT", "s3cret"),
        ("OTEL_EXPORTER_OTLP_TIMEOUT", "0"),
        ("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc"),
        ("OTEL_EXPORTER_OTLP_CERTIFICATE", "/nowhere/s3cret.pem"),
        ("OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE", "/nowhere/s3cret.pem"),
    ],
)
def test_refuses_what_it_cannot_use_and_repeats_no_value(variable: str, value: str) -> None:
    with pytest.raises(Unusable, match=f"^{variable}") as caught:
        target_of({**THERE, variable: value}, "traces")
    assert "s3cret" not in str(caught.value)


# -- who speaks --------------------------------------------------------------------------------------------------------

PLAIN = {"service.name": "pointsman-gateway", "service.version": "1.2", "service.instance.id": "i-1"}


def test_says_its_name_its_version_and_which_of_many_it_is() -> None:
    assert resource_of({}, "1.2", "i-1") == PLAIN


def test_says_its_pod_in_a_cluster() -> None:
    assert resource_of({"KUBERNETES_SERVICE_HOST": "10.0.0.1"}, "1.2", "i-1") == {
        **PLAIN, "k8s.pod.name": socket.gethostname(),
    }  # fmt: skip
    given = {"KUBERNETES_SERVICE_HOST": "x", "POINTSMAN_POD_NAME": "p-1", "POINTSMAN_NAMESPACE": "n"}
    assert resource_of(given, "1.2", "i-1") == {**PLAIN, "k8s.pod.name": "p-1", "k8s.namespace.name": "n"}


def test_says_what_the_operator_adds() -> None:
    given = {"OTEL_RESOURCE_ATTRIBUTES": "deployment.environment.name=prod,team=K%C3%BCche,service.name=a"}
    added = {**PLAIN, "deployment.environment.name": "prod", "team": "Küche", "service.name": "a"}
    assert resource_of(given, "1.2", "i-1") == added
    assert resource_of({**given, "OTEL_SERVICE_NAME": "b"}, "1.2", "i-1") == {**added, "service.name": "b"}


def test_ignores_attributes_that_are_none(caplog: pytest.LogCaptureFixture) -> None:
    assert resource_of({"OTEL_RESOURCE_ATTRIBUTES": "team=kb,oops"}, "1.2", "i-1") == PLAIN
    assert "OTEL_RESOURCE_ATTRIBUTES: entry 2 does not look like name=value; it is ignored" in caplog.text


# -- the exchange ------------------------------------------------------------------------------------------------------


def test_sends_with_all_headers_and_compresses_what_is_worth_it(tmp_path: Path) -> None:
    with receiving() as receiver:
        receiver.replies = [Reply(200, {}, b"thanks")]
        url = f"{receiver.url}/v1/traces"
        with closing(Collector(Target(f"{url}?x=y", {"k": "v"}), tmp_path / "none")) as collector:
            assert collector.send(b"small") == b"thanks"
            collector.send(b"large" * 1_000)
        with closing(Collector(Target(url, {}, compressed=False), tmp_path / "none")) as collector:
            collector.send(b"large" * 1_000)
    sent = receiver.sent
    assert [(one.path, one.body) for one in sent] == [
        ("/v1/traces?x=y", b"small"), ("/v1/traces?x=y", b"large" * 1_000), ("/v1/traces", b"large" * 1_000),
    ]  # fmt: skip
    assert [one.headers.get("content-encoding") for one in sent] == [None, "gzip", None]
    assert (sent[0].headers["content-type"], sent[0].headers["k"]) == ("application/x-protobuf", "v")


def test_reads_its_key_file_again_with_each_batch(tmp_path: Path) -> None:
    file = tmp_path / "headers"
    target = {"k": "old", "j": "kept"}
    with receiving() as receiver, closing(Collector(Target(receiver.url, target), file)) as collector:
        for text in ("k=one\n", "k=two\n"):
            file.write_text(text)
            collector.send(b"x")
        file.write_text("s3cret")
        with pytest.raises(Undelivered, match="entry 1 does not look like name=value") as caught:
            collector.send(b"x")
    assert not caught.value.final
    assert [(one.headers["k"], one.headers["j"]) for one in receiver.sent] == [("one", "kept"), ("two", "kept")]


def test_trusts_the_authority_of_the_variable_and_shows_its_own_certificate(tmp_path: Path) -> None:
    both = str(self_signed(tmp_path / "both.pem"))
    tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH, cafile=both)
    tls.load_cert_chain(both)
    tls.verify_mode = ssl.CERT_REQUIRED
    with receiving(tls) as receiver:
        environ = {"OTEL_EXPORTER_OTLP_ENDPOINT": receiver.url, "OTEL_EXPORTER_OTLP_CERTIFICATE": both}
        stranger = target_of(environ, "traces")
        known = target_of({**environ, "OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE": both}, "traces")
        assert stranger is not None
        assert known is not None
        with closing(Collector(stranger, tmp_path / "none")) as collector, pytest.raises(Undelivered):
            collector.send(b"x")
        with closing(Collector(known, tmp_path / "none")) as collector:
            collector.send(b"x")
    assert [one.path for one in receiver.sent] == ["/v1/traces"]
