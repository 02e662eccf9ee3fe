"""Halves of pairs as they travel, and who is drawn for one."""

import json
from hashlib import blake2b
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from gateway.core.evaluation import (
    MOST_HEADER_CHARS,
    Half,
    HalfError,
    decode_halves,
    drawn,
    encode_half,
    encode_halves,
    headers_again,
    headers_of,
)  # fmt: skip
from gateway.core.policy import NOTHING_REQUIRED, Requirement

TEXTS = st.text(st.characters(codec="utf-8"))
LEAVES = st.none() | st.booleans() | st.integers(-(2**53), 2**53) | TEXTS
BODIES = st.dictionaries(TEXTS, st.recursive(LEAVES, st.lists))


def a_half(decision: str = "0" * 16, **changes: Any) -> Half:
    plain = Half(
        decision=decision, time_s=1_764_000_000.5, route="default", task="math", step=1, score=0.25, model="rules",
        probability=0.02, lower=False, certificate=None, surface="chat", request={"model": "auto"}, answer="{}",
        endpoint="dear/l", cost_usd=0.01, others=("mid/m",), judges=(), budget_usd_per_day=5.0, keep_s=86_400.0,
        labels=("careful",), require=Requirement(retention_days=0), headers=(("anthropic-version", "2023-06-01"),),
    )  # fmt: skip
    return replace(plain, **changes)


def ids(many: int) -> list[str]:
    """As random as a gateway's, and the same each time."""
    return [blake2b(number.to_bytes(4, "big"), digest_size=8).hexdigest() for number in range(many)]


@given(request=BODIES, answer=TEXTS, cost_usd=st.none() | st.floats(0, 1e3), others=st.lists(TEXTS).map(tuple))
def test_arrives_as_it_was_sent(request: dict[str, Any], answer: str, cost_usd: float | None, others: Any) -> None:
    halves = [a_half(), a_half("1" * 16, request=request, answer=answer, cost_usd=cost_usd, others=others)]
    assert decode_halves(encode_halves(halves)) == halves


def test_of_an_older_gateway_nobody_knows_the_labels_and_the_headers() -> None:
    (told,) = json.loads(encode_halves([a_half()]))
    del told["labels"], told["require"], told["headers"]
    assert decode_halves(json.dumps([told]).encode()) == [a_half(labels=None, require=NOTHING_REQUIRED, headers=())]


VERSION, BETA = ("anthropic-version", "2023-06-01"), ("anthropic-beta", "a-2025-01-01,b-2025-02-02")


def test_of_a_clients_headers_only_those_go_along_that_change_the_answer_and_only_those_are_sent_again() -> None:
    given = (VERSION, BETA, ("authorization", "Bearer sk"), ("x-user", "ann"))
    assert headers_of(given) == (VERSION, BETA)
    assert headers_again(given) == dict([VERSION, BETA])
    assert headers_of(()) == ()


@pytest.mark.parametrize("value", ["a\r\nx-evil: 1", "b\u00e9ta", "\udcff", "b" * (MOST_HEADER_CHARS + 1)])
def test_a_header_that_cannot_go_along_is_found_before_it_spoils_others_halves(value: str) -> None:
    assert headers_of((VERSION, ("anthropic-beta", value))) is None
    assert headers_of((("x-user", value),)) == ()
    with pytest.raises(HalfError):
        decode_halves(encode_halves([a_half(headers=(("anthropic-beta", value),))]))


def test_a_demand_that_this_version_does_not_know_is_not_overheard() -> None:
    (told,) = json.loads(encode_halves([a_half()]))
    told["require"]["moon"] = True
    with pytest.raises(HalfError, match="unknown field `moon`"):
        decode_halves(json.dumps([told]).encode())


def test_of_none_there_is_an_empty_list() -> None:
    assert decode_halves(encode_halves([])) == []


def test_half_an_emoji_is_said_and_sent_to_nobody() -> None:
    with pytest.raises(HalfError, match=r"^cannot be written as JSON: UnicodeEncodeError$"):
        encode_half(a_half(request={"messages": ["\ud83d"]}))


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b"", "is no list of halves: Input data was truncated"),
        (b"{}", "is no list of halves: Expected `array`, got `object`"),
        (b"[{}]", "is no list of halves: Object missing required field `decision`"),
        (b'[{"decision": 1}]', "is no list of halves: Expected `str`, got `int`"),
        (b"\xff", "is no list of halves: JSON is malformed"),
        (b"[" * 100_000, "is nested too deeply|is no list of halves"),
    ],
)
def test_garbage_is_refused_with_the_reason(data: bytes, why: str) -> None:
    with pytest.raises(HalfError, match=why):
        decode_halves(data)


@pytest.mark.parametrize(
    "changed",
    [
        {"decision": ""}, {"decision": "d" * 64}, {"route": "a\nb"}, {"route": "support\n"}, {"task": "t" * 64},
        {"step": -1}, {"step": 1 << 70}, {"time_s": -1.0}, {"probability": 0.0}, {"probability": 1.5}, {"keep_s": -1.0},
        {"budget_usd_per_day": -5.0}, {"model": "m" * 301}, {"endpoint": "e" * 301}, {"others": ("e" * 301,)},
        {"judges": ("e" * 301,)}, {"labels": ("l\n",)}, {"certificate": "c" * 301}, {"surface": "s" * 301},
        {"headers": (("anthropic-beta", "a\n"),)},
    ],
)  # fmt: skip
def test_what_no_gateway_sends_is_refused(changed: dict[str, Any]) -> None:
    """It would be a line of the log, a label of a metric, or a number that no database holds."""
    with pytest.raises(HalfError, match=rf"at `\$\[0\]\.{next(iter(changed))}"):
        decode_halves(encode_halves([a_half(**changed)]))


def test_a_body_that_is_nested_without_end_is_refused() -> None:
    (plain,) = json.loads(encode_halves([a_half()]))
    deep = json.dumps([plain | {"request": {"a": "HERE"}}]).replace('"HERE"', "[" * 50_000)
    with pytest.raises(HalfError, match="is nested too deeply"):
        decode_halves(deep.encode())


@given(data=st.binary())
def test_no_bytes_make_it_fail_otherwise(data: bytes) -> None:
    try:
        found = decode_halves(data)
    except HalfError:
        return
    assert found == []


@pytest.mark.parametrize("share", [0.02, 0.1, 0.5])
def test_the_share_is_held_over_many_ids(share: float) -> None:
    many = 20_000
    found = sum(drawn(one, share) for one in ids(many)) / many
    assert found == pytest.approx(share, abs=4 * (share * (1 - share) / many) ** 0.5)


def test_who_is_drawn_for_a_share_is_drawn_for_every_larger_one() -> None:
    small, large = ({one for one in ids(2_000) if drawn(one, share)} for share in (0.1, 0.3))
    assert small < large


def test_the_whole_and_nothing() -> None:
    ends = ["0" * 16, "f" * 16]
    assert [drawn(one, 1.0) for one in ends] == [True, True]
    assert [drawn(one, 0.0) for one in ends] == [False, False]
