"""The way to one provider: its origin, its key, its headers, and what an error answer says."""

import pytest

from gateway.core.credential import AwsKeys, Bearer, Credential
from gateway.core.failure import AttemptError, FailureKind
from gateway.core.named import Named, Naming
from gateway.core.policy import Route
from gateway.flow.attempt import HEADERS_KEPT, Line
from gateway.flow.baseline import baseline_of
from gateway.formats.wire import Outgoing
from gateway.upstream.call import Call
from gateway.upstream.sigv4 import signed
from tests.support.builders import a_price, a_provider, a_step, a_world
from tests.support.openai_scripts import an_answer
from tests.support.scripted_upstream import HANG, ScriptedUpstream, Status
from tests.support.walking import Walking


class ChangingKeys:
    def __init__(self) -> None:
        self.key: str | None = "sk-1"
        self.asked: list[tuple[str, str]] = []

    def get(self, provider: str, origin: str) -> str | None:
        self.asked.append((provider, origin))
        return self.key

    def missing(self) -> frozenset[str]:
        return frozenset()


def test_calls_the_providers_own_origin_with_its_own_key_and_follows_a_new_one() -> None:
    keys = ChangingKeys()
    provider = a_provider("alpha", base_url="https://eu.alpha.test:8443/v1/", headers=(("x-fixed", "1"),))
    line = Line(provider, ScriptedUpstream({}), keys)
    outgoing = Outgoing("/chat/completions", (("content-type", "application/json"),), b"{}")
    call = line.call(outgoing, line.format, 0.0)
    assert (str(call.origin), call.path) == ("https://eu.alpha.test:8443", "/v1/chat/completions")
    assert keys.asked == [("alpha", "https://eu.alpha.test:8443")]
    assert set(call.headers) == {
        ("authorization", "Bearer sk-1"), ("x-fixed", "1"), ("content-type", "application/json"),
    }  # fmt: skip
    keys.key = "sk-2"
    assert ("authorization", "Bearer sk-2") in line.call(outgoing, line.format, 0.0).headers
    keys.key = None
    assert "authorization" not in dict(line.call(outgoing, line.format, 0.0).headers)


def test_lets_a_header_of_the_request_win_over_a_fixed_one() -> None:
    provider = a_provider("alpha", headers=(("anthropic-version", "2023-06-01"),))
    line = Line(provider, ScriptedUpstream({}), ChangingKeys())
    call = line.call(Outgoing("/x", (("anthropic-version", "2026-10-21"),), b""), line.format, 0.0)
    assert [value for name, value in call.headers if name == "anthropic-version"] == ["2026-10-21"]
    plain = line.call(Outgoing("/x", (), b""), line.format, 0.0)
    assert [name for name, _ in plain.headers] == ["authorization", "anthropic-version"]


def test_remembers_no_more_headers_than_it_needs() -> None:
    line = Line(a_provider("alpha"), ScriptedUpstream({}), ChangingKeys())
    for n in range(3 * HEADERS_KEPT):
        call = line.call(Outgoing("/x", (("x-n", str(n)),), b""), line.format, 0.0)
        assert call.headers == (("authorization", "Bearer sk-1"), ("x-n", str(n)))


@pytest.mark.virtual_time
@pytest.mark.parametrize(
    "body", [[b"{", FailureKind.TRUNCATED], [b"x" * 70_000], [HANG], []], ids=["cut", "huge", "silent", "empty"]
)
async def test_an_error_status_says_enough_whatever_becomes_of_its_body(body: list[bytes | float]) -> None:
    walking = Walking(a_world("alpha/m", "beta/m"), {"alpha": [[Status(429), *body]], "beta": [an_answer()]})
    sink = await walking.ask()
    assert (sink.status, walking.outcomes[0]) == (200, ("alpha/m", "rate_limited"))


@pytest.mark.parametrize(
    ("steps", "baseline"),
    [
        ([], None),
        ([a_step("a/m", None)], None),
        ([a_step("a/m", 1.0, tier=0), a_step("b/m", 3.0, tier=1), a_step("c/m", 2.0, tier=1)], "c/m"),
        ([a_step("a/m", 1.0, tier=None), a_step("b/m", 2.0, tier=None), a_step("c/m", 3.0, tier=None)], "b/m"),
    ],
)
def test_the_baseline_is_the_median_of_the_highest_tier(steps: list[object], baseline: str | None) -> None:
    named = Named(Naming.AUTO, "auto")
    assert baseline_of(Route("d"), named, steps, {}) == baseline  # type: ignore[arg-type]


def test_the_baseline_of_a_named_model_is_its_first_endpoint_with_a_price() -> None:
    named = Named(Naming.MODEL, "m", endpoints=("a/m", "b/m", "c/m"))
    prices = {"a/m": None, "b/m": a_price(), "c/m": a_price()}
    assert baseline_of(Route("d"), named, [], prices) == "b/m"


class Lent:
    """Keys that are one credential."""

    def __init__(self, credential: Credential) -> None:
        self._credential = credential

    def get(self, provider: str, origin: str) -> Credential:
        return self._credential

    def missing(self) -> frozenset[str]:
        return frozenset()


def test_a_token_goes_into_authorization_whatever_the_format_does_with_keys() -> None:
    line = Line(a_provider("alpha", api="anthropic"), ScriptedUpstream({}), Lent(Bearer("ya29.x")))
    call = line.call(Outgoing("/x", (), b""), line.format, 0.0, "GET")
    assert (call.method, call.headers) == ("GET", (("authorization", "Bearer ya29.x"),))


def test_signs_each_request_for_the_region_of_its_host_or_of_the_configuration() -> None:
    keys = Lent(AwsKeys("AKID", "secret"))
    outgoing = Outgoing("/model/m/converse", (("content-type", "application/json"),), b"{}")
    base_url = "https://bedrock-runtime.eu-west-1.amazonaws.com"
    for provider, region in (
        (a_provider("aws", base_url=base_url), "eu-west-1"),
        (a_provider("aws", base_url="https://proxy.corp", region="us-east-2"), "us-east-2"),
    ):
        line = Line(provider, ScriptedUpstream({}), keys)
        call = line.call(outgoing, line.format, 1_764_000_000.0)
        bare = Call(call.origin, "POST", call.path, outgoing.headers, b"{}")
        assert call == signed(bare, AwsKeys("AKID", "secret"), region, 1_764_000_000.0)


def test_says_so_where_the_region_to_sign_for_is_unknown() -> None:
    line = Line(a_provider("aws", base_url="https://proxy.corp"), ScriptedUpstream({}), Lent(AwsKeys("AKID", "secret")))
    with pytest.raises(AttemptError) as caught:
        line.call(Outgoing("/x", (), b""), line.format, 0.0)
    assert caught.value.failure.kind is FailureKind.CREDENTIAL
    assert "region:" in caught.value.failure.message
