"""Every signature held against that of awscrt, the C library that AWS's own tools sign with."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.core.credential import AwsKeys
from gateway.upstream.call import Call, Origin
from gateway.upstream.sigv4 import region_of, signed
from tests.support.aws import by_aws

EPOCH_S = 1_764_000_000.0
JSON = (("content-type", "application/json"), ("accept", "application/json"))
TEXTS = st.text(st.characters(codec="ascii", categories=("L", "N")), min_size=1, max_size=20)


def sent(call: Call) -> dict[str, str]:
    return {"host": call.origin.authority, **dict(call.headers)}


def a_call(path: str = "/model/m/converse", body: bytes = b"{}", method: str = "POST", port: int = 443) -> Call:
    return Call(Origin("https", "bedrock-runtime.eu-central-1.amazonaws.com", port), method, path, JSON, body)


@pytest.mark.parametrize(
    "call",
    [
        a_call(),
        a_call("/model/us.anthropic.claude-sonnet-4-20250514-v1%3A0/converse-stream", b'{"a": "\xc3\xa4"}'),
        a_call("/model/arn%3Aaws%3Abedrock%3Aus-east-1%3A1%3Ainference-profile%2Fx/invoke", b""),
        a_call("/model/m/converse", port=8443),
        a_call("/foundation-models?byProvider=meta&a=1", b"", "GET"),
    ],
)
@pytest.mark.parametrize("keys", [AwsKeys("AKID", "secret"), AwsKeys("AKID", "s/e+c", "token==")])
def test_signs_as_aws_does(call: Call, keys: AwsKeys) -> None:
    assert sent(signed(call, keys, "eu-central-1", EPOCH_S)) == by_aws(call, keys, "eu-central-1", EPOCH_S)


@given(access=TEXTS, secret=TEXTS, token=st.none() | TEXTS, body=st.binary(max_size=200), model=TEXTS)
def test_signs_anything_as_aws_does(access: str, secret: str, token: str | None, body: bytes, model: str) -> None:
    call, keys = a_call(f"/model/{model}%3A0/converse", body), AwsKeys(access, secret, token)
    assert sent(signed(call, keys, "us-east-1", EPOCH_S)) == by_aws(call, keys, "us-east-1", EPOCH_S)


def test_leaves_the_call_as_it_is_but_for_headers() -> None:
    call = a_call()
    made = signed(call, AwsKeys("AKID", "secret"), "eu-central-1", EPOCH_S)
    assert (made.origin, made.method, made.path, made.body) == (call.origin, call.method, call.path, call.body)
    assert made.headers[: len(JSON)] == JSON
    assert "secret" not in repr(AwsKeys("AKID", "secret")) + repr(made)


@pytest.mark.parametrize(
    ("host", "region"),
    [
        ("bedrock-runtime.us-east-1.amazonaws.com", "us-east-1"),
        ("bedrock-runtime-fips.us-gov-west-1.amazonaws.com", "us-gov-west-1"),
        ("bedrock-runtime.cn-north-1.amazonaws.com.cn", "cn-north-1"),
        ("vpce-0a1.bedrock-runtime.eu-west-1.vpce.amazonaws.com", "eu-west-1"),
        ("127.0.0.1", None),
        ("proxy.corp", None),
    ],
)
def test_reads_the_region_of_a_host(host: str, region: str | None) -> None:
    assert region_of(host) == region
