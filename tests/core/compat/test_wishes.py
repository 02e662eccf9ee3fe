"""Every language together: what is on is read, the tighter limit holds, and two words for one thing are refused."""

import json
from typing import Any

import pytest

from gateway.core.compat.wishes import matched_headers, read_wishes
from gateway.core.extras import NO_EXTRAS, BadExtra, Extras
from gateway.core.policy import Policy
from tests.support.builders import a_catalog, a_policy

FIELDS = {"model": "m", "fallbacks": ["n"], "num_retries": 1, "timeout": 5, "tags": ["a:b"], "metadata": {"tags": []}}
SINGLE = json.dumps({"provider": "beta", "retry": {"attempts": 0}, "request_timeout": 3000})


def policy(*compat: str) -> Policy:
    return a_policy(a_catalog("alpha/m", "beta/m"), compat=frozenset(compat))


def read(
    body: dict[str, Any], headers: dict[str, str], *compat: str, request_id: str = "id"
) -> tuple[Extras, dict[str, Any]]:
    return read_wishes(body, headers, policy(*compat), request_id, "/v1/chat/completions")


def test_where_nothing_is_on_they_are_fields_like_any_other() -> None:
    assert read(FIELDS, {"x-portkey-config": "pc-1"}) == (NO_EXTRAS, FIELDS)


def test_each_is_read_only_where_it_is_on() -> None:
    headers = {"x-portkey-config": SINGLE}
    litellm = Extras(models=("n",), tries=2, deadline_s=5.0, tags=(("a", "b"),))
    assert read(FIELDS, headers, "litellm") == (litellm, {"model": "m"})
    portkey = Extras(tries=1, deadline_s=3.0)
    assert read(FIELDS, headers, "portkey") == (portkey, {**FIELDS, "model": "beta/m"})


def test_without_any_of_them_leaves_a_request_alone() -> None:
    assert read({"model": "m"}, {}, "litellm", "portkey") == (NO_EXTRAS, {"model": "m"})


def test_joins_them_with_our_own_words_and_the_tightest_limit_holds() -> None:
    body = {"model": "m", "num_retries": 4, "timeout": 5, "tags": ["a:b"], "session_id": "s"}
    headers = {
        "x-portkey-config": SINGLE, "x-portkey-metadata": '{"c": "d"}', "x-pointsman-deadline": "4",
        "x-pointsman-tags": "e=f",
    }  # fmt: skip
    joined = Extras(session="s", tries=1, deadline_s=3.0, tags=(("e", "f"), ("a", "b"), ("c", "d")))
    assert read(body, headers, "litellm", "portkey") == (joined, {"model": "beta/m"})
    assert read({**body, "timeout": 2}, headers, "litellm", "portkey")[0].deadline_s == 2.0
    assert read(body, {"x-pointsman-deadline": "4"}, "litellm")[0].deadline_s == 4.0


def test_retries_are_tries_of_each_model() -> None:
    assert read({"model": "m", "models": ["a", "b"], "num_retries": 0}, {}, "litellm")[0].tries == 1
    assert read({"model": "m", "fallbacks": ["a"]}, {}, "litellm")[0].tries is None


@pytest.mark.parametrize(
    ("body", "param", "words"),
    [
        ({"models": ["a"], "fallbacks": ["b"]}, "fallbacks", "cannot stand beside models: both say what to try next"),
        ({"models": ["a"]}, "x-portkey-config", "cannot stand beside models"),
        ({"fallbacks": ["a"]}, "x-portkey-config", "cannot stand beside fallbacks"),
    ],
)
def test_refuses_two_words_for_one_thing(body: dict[str, Any], param: str, words: str) -> None:
    config = {"strategy": {"mode": "fallback"}, "targets": [{"provider": "alpha"}, {"provider": "beta"}]}
    with pytest.raises(BadExtra) as caught:
        read({"model": "m", **body}, {"x-portkey-config": json.dumps(config)}, "litellm", "portkey")
    assert (caught.value.param, caught.value.message[: len(words)]) == (param, words)


def test_refuses_more_tags_than_a_record_holds() -> None:
    tags = ",".join(f"k{number}=v" for number in range(32))
    with pytest.raises(BadExtra) as caught:
        read({"model": "m", "tags": ["one-more"]}, {"x-pointsman-tags": tags}, "litellm")
    assert caught.value.message == "at most 32 tags, got 33"


def test_draws_by_session_else_by_request() -> None:
    config = {"strategy": {"mode": "loadbalance"}, "targets": [{"provider": "alpha"}, {"provider": "beta"}]}
    headers = {"x-portkey-config": json.dumps(config)}

    def drawn(body: dict[str, Any]) -> set[str]:
        return {read(body, headers, "portkey", request_id=str(number))[1]["model"] for number in range(32)}

    assert drawn({"model": "m"}) == {"alpha/m", "beta/m"}
    assert len(drawn({"model": "m", "session_id": "s"})) == 1


def test_metadata_count_as_headers_where_routes_are_matched() -> None:
    metadata = {"user_plan": "paid", "Team.Name": 7, "pointsman-route": "x", "portkey": "x", "--": "x", "seen": "no"}
    headers = {"x-portkey-metadata": json.dumps(metadata), "x-seen": "yes"}
    added = {"x-user-plan": "paid", "x-team-name": "7"}
    assert matched_headers(headers, policy("portkey")) == headers | added
    assert matched_headers(headers, policy("litellm")) is headers
    assert matched_headers({"x-seen": "yes"}, policy("portkey")) == {"x-seen": "yes"}
