import json
from typing import Any

import pytest

from gateway.core.ask import Surface
from gateway.core.chat import ResponseFormat
from gateway.formats.openai import request
from tests.support.formats import ask, endpoint, outgoing_body


@pytest.mark.parametrize(
    ("wanted", "written"),
    [
        (ResponseFormat("text"), {"type": "text"}),
        (
            ResponseFormat("json_schema"),
            {"type": "json_schema", "json_schema": {"name": "answer", "schema": {}}},
        ),
        (
            ResponseFormat("json_schema", "a", {"b": 1}, False),
            {"type": "json_schema", "json_schema": {"name": "a", "schema": {"b": 1}, "strict": False}},
        ),
    ],
)
def test_writes_response_formats(wanted: ResponseFormat, written: dict[str, Any]) -> None:
    assert request._response_format(wanted) == written


@pytest.mark.parametrize(
    ("body", "quirks", "effort"),
    [
        ({}, (), None),
        ({"output_config": {"effort": "xhigh"}}, (), "high"),
        ({"output_config": {"effort": "low"}}, (), "low"),
        ({"thinking": {"type": "adaptive"}}, (), "medium"),
        ({"thinking": {"type": "enabled", "budget_tokens": 4096}}, (), "low"),
        ({"thinking": {"type": "enabled", "budget_tokens": 4097}}, (), "medium"),
        ({"thinking": {"type": "enabled", "budget_tokens": 16385}}, (), "high"),
        ({"thinking": {"type": "disabled"}}, (), None),
        ({"thinking": {"type": "disabled"}}, ("reasoning_none", "reasoning_low"), "none"),
    ],
)
def test_asks_for_the_effort_that_was_meant(body: dict[str, Any], quirks: tuple[str, ...], effort: str | None) -> None:
    at = endpoint(caps=("reasoning",), quirks=frozenset(quirks))
    assert outgoing_body(ask(body, Surface.MESSAGES), at).get("reasoning_effort") == effort


def test_leaves_sampling_out_where_it_is_refused() -> None:
    asked = ask({"temperature": 0.5, "top_p": 0.5}, Surface.MESSAGES)
    at = endpoint(quirks=frozenset({"no_sampling"}))
    out = request.build(asked, at, 9)
    assert {"temperature", "top_p"} & set(json.loads(out.body)) == set()
    assert out.dropped == ("temperature", "top_p")
