"""The request's own wishes: read, taken out of the body, and refused with what would be right."""

from typing import Any

import pytest

from gateway.core.extras import NO_EXTRAS, BadExtra, Extras, MaxPrice, ProviderRules, read_extras
from gateway.core.policy import Label, Policy, Route
from tests.support.builders import a_catalog, a_policy


def a_wishing_policy() -> Policy:
    return a_policy(
        a_catalog("alpha/m", "beta/m"),
        routes=(Route("support"), Route("default")),
        labels={name: Label(name) for name in ("public", "internal", "pii")},
    )


def read(body: dict[str, Any] | None = None, headers: dict[str, str] | None = None) -> Extras:
    return read_extras(body or {}, headers or {}, a_wishing_policy())[0]


def test_leaves_a_plain_body_alone() -> None:
    assert read_extras({"model": "m"}, {"accept": "*/*"}, a_wishing_policy()) == (NO_EXTRAS, {"model": "m"})


def test_takes_its_own_fields_out_of_the_body() -> None:
    body = {"model": "m", "models": ["a"], "provider": {}, "session_id": "s"}
    extras, rest = read_extras(body, {}, a_wishing_policy())
    assert (extras, rest) == (Extras(models=("a",), session="s"), {"model": "m"})


def test_reads_every_header() -> None:
    headers = {
        "x-pointsman-route": "support", "x-pointsman-sensitivity": "pii, internal", "x-pointsman-tier": "large",
        "x-pointsman-task": "code", "x-pointsman-max-cost": "0.02", "x-pointsman-deadline": "30",
        "x-pointsman-session": "s1", "x-pointsman-tags": "team=kb, run = 7",
    }  # fmt: skip
    assert read(headers=headers) == Extras(
        session="s1",
        route="support",
        sensitivity=("pii", "internal"),
        tier=2,
        task="code",
        max_cost_usd=0.02,
        deadline_s=30.0,
        tags=(("team", "kb"), ("run", "7")),
    )


def test_reads_every_provider_field() -> None:
    rules = {
        "order": ["alpha", "beta/m"], "only": ["alpha"], "ignore": ["beta"], "allow_fallbacks": False,
        "sort": {"by": "latency"}, "max_price": {"prompt": "1.5", "completion": 2, "request": 0.1},
        "data_collection": "deny", "zdr": True, "require_parameters": True,
    }  # fmt: skip
    assert read({"provider": rules}).provider == ProviderRules(
        order=("alpha", "beta/m"),
        only=("alpha",),
        ignore=("beta",),
        allow_fallbacks=False,
        sort="latency",
        max_price=MaxPrice(1.5, 2.0, 0.1),
        deny_data_collection=True,
        zdr=True,
        require_parameters=True,
    )


def test_takes_null_for_nothing() -> None:
    body = {"models": None, "session_id": None, "provider": {"order": None, "zdr": None}}
    assert read(body, {"x-pointsman-tags": " "}) == NO_EXTRAS
    assert read({"provider": None}) == NO_EXTRAS
    assert read({"provider": {"data_collection": "allow", "sort": "price"}}).provider == ProviderRules(sort="price")


def test_prefers_the_session_of_the_body() -> None:
    assert read({"session_id": "a"}, {"x-pointsman-session": "b"}).session == "a"


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("rout", "support", "unknown header; valid: x-pointsman-route, "),
        ("route", "suport", "unknown route 'suport'; valid: support, default (did you mean 'support'?)"),
        ("sensitivity", "pii,secret", "unknown sensitivity 'secret'; valid: public, internal, pii"),
        ("sensitivity", "", "unknown sensitivity ''"),
        ("tier", "huge", "unknown tier 'huge'; valid: small, medium, large"),
        ("task", "poetry", "unknown task 'poetry'; valid: code, math"),
        ("max-cost", "cheap", "must be an amount in USD such as 0.02, got 'cheap'"),
        ("max-cost", "0", "must be an amount in USD"),
        ("max-cost", "nan", "must be an amount in USD"),
        ("max-cost", "inf", "must be an amount in USD"),
        ("deadline", "-1", "must be a number of seconds such as 30, got '-1'"),
        ("session", "", "must be a text of 1 to 256 characters"),
        ("tags", "a=b,c", "must be k=v,k=v with at most 128 characters each, got 'c'"),
        ("tags", "=b", "must be k=v"),
        ("tags", "a=" + "x" * 128, "must be k=v"),
        ("tags", ",".join(f"k{n}=v" for n in range(33)), "at most 32 tags, got 33"),
    ],
)
def test_refuses_a_header(name: str, value: str, words: str) -> None:
    with pytest.raises(BadExtra) as caught:
        read(headers={f"x-pointsman-{name}": value})
    assert caught.value.message.startswith(words)
    assert caught.value.param == f"x-pointsman-{name}"


@pytest.mark.parametrize(
    ("body", "param", "words"),
    [
        ({"models": "a"}, "models", "must be a list of names"),
        ({"models": ["a", ""]}, "models", "must be a list of names"),
        ({"models": [1]}, "models", "must be a list of names"),
        ({"session_id": 7}, "session_id", "must be a text of 1 to 256 characters"),
        ({"session_id": "x" * 257}, "session_id", "must be a text of 1 to 256 characters"),
        ({"provider": []}, "provider", "must be an object with any of: order, only"),
        ({"provider": {"ordre": []}}, "provider.ordre", "unknown field; valid: order, only"),
        ({"provider": {"zdr": 1}}, "provider.zdr", "must be true or false"),
        ({"provider": {"sort": "beauty"}}, "provider.sort", "must be price, latency or throughput"),
        ({"provider": {"sort": {}}}, "provider.sort", "must be price, latency or throughput"),
        ({"provider": {"max_price": 1}}, "provider.max_price", "must be an object such as"),
        ({"provider": {"max_price": {"image": 1}}}, "provider.max_price.image", "unknown price; valid: prompt"),
        ({"provider": {"max_price": {"prompt": []}}}, "provider.max_price.prompt", "must be a number of USD"),
        ({"provider": {"max_price": {"prompt": "x"}}}, "provider.max_price.prompt", "must be a number of USD"),
        ({"provider": {"max_price": {"prompt": "nan"}}}, "provider.max_price.prompt", "must be a number of USD"),
        ({"provider": {"max_price": {"prompt": True}}}, "provider.max_price.prompt", "must be a number of USD"),
        ({"provider": {"max_price": {"prompt": 10**400}}}, "provider.max_price.prompt", "must be a number of USD"),
        ({"provider": {"max_price": {"prompt": -1}}}, "provider.max_price.prompt", "must be a number of USD"),
        ({"provider": {"data_collection": True}}, "provider.data_collection", "must be allow or deny"),
        ({"provider": {"only": ["gamma"]}}, "provider.only", "unknown provider 'gamma'; configured: alpha, beta"),
    ],
)
def test_refuses_a_field(body: dict[str, Any], param: str, words: str) -> None:
    with pytest.raises(BadExtra) as caught:
        read(body)
    assert (caught.value.param, caught.value.message[: len(words)]) == (param, words)


@pytest.mark.parametrize("header", ["session", "tags"])
def test_refuses_bytes_that_are_no_text(header: str) -> None:
    with pytest.raises(BadExtra):
        read(headers={f"x-pointsman-{header}": "k=\udcff"})
