import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.core.price_json import PriceFileError, decode_prices, encode_prices, price_from_json, price_to_json
from gateway.core.prices import HeldBack, PriceBook, SourceState
from gateway.core.pricing import Override, Price, Rates, Window

GOOD: dict[str, Any] = {
    "version": 1,
    "as_of": "2026-11-25T12:00:00Z",
    "sources": [{"name": "openrouter", "fetched_at": "2026-11-25T11:59:00Z", "ok": True, "etag": "ignored"}],
    "endpoints": {
        "openai/gpt-4o": {"input": 2.5, "cached_input": 1.25, "output": 10, "source": "catalog", "batch": "ignored"},
        "groq/unknown": None,
    },
    "later": "ignored",
}


def with_entry(**fields: Any) -> bytes:
    entry = {"input": 1.0, "output": 2.0} | fields
    return json.dumps(GOOD | {"endpoints": {"openai/gpt-4o": entry}}).encode()


def test_reads_what_the_contract_shows() -> None:
    assert decode_prices(json.dumps(GOOD).encode()) == PriceBook(
        {"openai/gpt-4o": Price(Rates(2.5, 10.0, cached_input=1.25), source="catalog"), "groq/unknown": None},
        "2026-11-25T12:00:00Z",
        (SourceState("openrouter", "2026-11-25T11:59:00Z", ok=True),),
    )


def test_reads_a_parsed_document_as_well() -> None:
    assert decode_prices(GOOD) == decode_prices(json.dumps(GOOD))


def test_writes_a_price_as_people_would() -> None:
    window = Window(((3600, 14_400), (79_200, 86_400)), frozenset(range(5)), 1_786_896_000.0)
    price = Price(
        Rates(0.22, 0.66, cached_input=0.02, per_request=0.01),
        (Override(Rates(0.44, 1.32), window=window), Override(Rates(1.0, 2.0), min_prompt_tokens=200_001)),
        "catalog",
    )
    entry = {
        "input": 0.22,
        "cached_input": 0.02,
        "output": 0.66,
        "per_request": 0.01,
        "overrides": [
            {
                "window": {
                    "utc": [["01:00", "04:00"], ["22:00", "24:00"]],
                    "weekdays": [1, 2, 3, 4, 5],
                    "from": "2026-08-16T16:00:00Z",
                },
                "input": 0.44,
                "output": 1.32,
            },
            {"min_prompt_tokens": 200_001, "input": 1.0, "output": 2.0},
        ],
        "source": "catalog",
    }
    assert (price_to_json(price), price_from_json(entry, "here")) == (entry, price)


def test_writes_a_bare_price_without_empty_fields() -> None:
    assert price_to_json(Price(Rates(1.0, 2.0))) == {"input": 1.0, "output": 2.0}


def test_reads_a_window_that_says_nothing_as_always() -> None:
    entry = {"input": 1.0, "output": 2.0, "overrides": [{"window": {}, "input": 3.0, "output": 4.0}]}
    assert price_from_json(entry, "").overrides == (Override(Rates(3.0, 4.0), window=Window()),)


@pytest.mark.parametrize(
    ("data", "path"),
    [
        (b'{"version": 1, "endpoints": {"a/b": {"input": 1.0,}}}', "prices"),  # one syntax error
        (b"\xff\xfe", "prices"),
        (b"[]", "prices"),
        (b"[" * 100_000, "prices"),
        (b'{"version": 2, "endpoints": {}}', "version"),
        (b'{"version": 1}', "endpoints"),
        (with_entry(input=-0.5), "endpoints.openai/gpt-4o.input"),
        (with_entry(output=None), "endpoints.openai/gpt-4o.output"),
        (with_entry(output="10"), "endpoints.openai/gpt-4o.output"),
        (with_entry(cached_input=True), "endpoints.openai/gpt-4o.cached_input"),
        (with_entry(cache_write=float("nan")), "endpoints.openai/gpt-4o.cache_write"),
        (with_entry(reasoning=float("inf")), "endpoints.openai/gpt-4o.reasoning"),
        (with_entry(source=["a very long list"] * 99), "endpoints.openai/gpt-4o.source"),
        (with_entry(overrides={}), "endpoints.openai/gpt-4o.overrides"),
        (json.dumps(GOOD | {"sources": [{"name": None}]}).encode(), "sources[0].name"),
        (json.dumps(GOOD | {"held_back": [{"endpoint": "a/b"}]}).encode(), "held_back[0].field"),
    ],
)
def test_refuses_the_whole_file_and_names_the_bad_place(data: bytes, path: str) -> None:  # case I8
    with pytest.raises(PriceFileError) as caught:
        decode_prices(data)
    assert caught.value.path == path
    assert len(str(caught.value)) < 300


@pytest.mark.parametrize(
    ("override", "path"),
    [
        ({"min_prompt_tokens": -1}, "min_prompt_tokens"),
        ({"min_prompt_tokens": True}, "min_prompt_tokens"),
        ({"min_prompt_tokens": 1.5}, "min_prompt_tokens"),
        ({"window": []}, "window"),
        ({"window": {"weekdays": [0]}}, "window.weekdays"),
        ({"window": {"weekdays": ["mon"]}}, "window.weekdays"),
        ({"window": {"utc": ["01:00"]}}, "window.utc[0]"),
        ({"window": {"utc": [["01:00", "01:00"]]}}, "window.utc[0]"),
        ({"window": {"utc": [["22:00", "02:00"]]}}, "window.utc[0]"),
        ({"window": {"utc": [["1h", "02:00"]]}}, "window.utc[0]"),
        ({"window": {"utc": [[1, "02:00"]]}}, "window.utc[0]"),
        ({"window": {"utc": [["01:60", "02:00"]]}}, "window.utc[0]"),
        ({"window": {"utc": [["01:00", "24:01"]]}}, "window.utc[0]"),
        ({"window": {"from": "yesterday"}}, "window.from"),
        ({"window": {"from": 5}}, "window.from"),
        ({"window": {"until": "2026-08-16T16:00:00"}}, "window.until"),
    ],
)
def test_refuses_an_override_and_names_the_bad_place(override: dict[str, Any], path: str) -> None:
    entry = {"input": 1.0, "output": 2.0, "overrides": [{"input": 1.0, "output": 2.0} | override]}
    with pytest.raises(PriceFileError) as caught:
        price_from_json(entry, "models[3].price")
    assert caught.value.path == f"models[3].price.overrides[0].{path}"


rate = st.floats(0, 1_000)
maybe = st.none() | rate
rates = st.builds(Rates, rate, rate, maybe, maybe, maybe, maybe, rate)
minutes = st.integers(0, 24 * 60)
spans = st.tuples(minutes, minutes).filter(lambda s: s[0] < s[1]).map(lambda s: (s[0] * 60, s[1] * 60))
seconds = st.none() | st.integers(0, 4_000_000_000).map(float)
windows = st.builds(Window, st.lists(spans, max_size=3).map(tuple), st.frozensets(st.integers(0, 6)), seconds, seconds)
overrides = st.builds(Override, rates, st.integers(0, 10**9), st.none() | windows)
prices = st.builds(Price, rates, st.lists(overrides, max_size=3).map(tuple), st.text())
doubts = st.builds(HeldBack, st.text(), st.text(), rate, rate, st.text())
books = st.builds(
    PriceBook,
    st.dictionaries(st.text(), st.none() | prices, max_size=4),
    st.text(),
    st.lists(st.builds(SourceState, st.text(), st.text(), st.booleans()), max_size=2).map(tuple),
    held_back=st.lists(doubts, max_size=2).map(tuple),
)


@given(books)
def test_reads_back_what_it_wrote(book: PriceBook) -> None:
    assert decode_prices(json.dumps(encode_prices(book))) == book


@given(st.binary(max_size=200) | st.recursive(st.none() | st.booleans() | st.floats() | st.text(), st.lists).map(str))
def test_answers_garbage_with_its_own_error(data: bytes | str) -> None:
    with pytest.raises(PriceFileError):
        decode_prices(data)
