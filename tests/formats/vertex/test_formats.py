"""Claude on Vertex AI: what differs from Anthropic itself; goldens have the requests."""

import json

import pytest

from gateway.core.ask import Surface
from gateway.formats import registry
from gateway.formats.anthropic.hosted import HostedAnthropic
from tests.support.formats import ask, endpoint

AT = endpoint("vertex-anthropic")


def test_probes_where_the_model_is_asked() -> None:
    out = registry.wire_format("vertex-anthropic").probe(AT)
    assert out.path == "/publishers/anthropic/models/vertex-anthropic-upstream:rawPredict"
    turns = [{"role": "user", "content": "Reply with OK."}]
    assert json.loads(out.body) == {"max_tokens": 16, "messages": turns, "anthropic_version": "vertex-2023-10-16"}


def test_passes_every_beta_on() -> None:
    asked = ask({"stream": True}, Surface.MESSAGES, headers={"anthropic-beta": "a-1, b-2"})
    headers = dict(registry.wire_format("vertex-anthropic").build(asked, AT, 9).headers)
    assert headers["anthropic-beta"] == "a-1,b-2"
    assert (headers["accept"], "anthropic-version" in headers) == ("text/event-stream", False)


def test_takes_googles_keys() -> None:
    assert registry.wire_format("vertex-anthropic").auth_headers("AIza") == (("x-goog-api-key", "AIza"),)


def test_a_host_has_to_say_its_paths() -> None:
    bare = HostedAnthropic()
    with pytest.raises(NotImplementedError):
        bare.build(ask({}, Surface.MESSAGES), AT, 9)
    with pytest.raises(NotImplementedError):
        bare.build(ask({}, Surface.COUNT_TOKENS), AT, 9)
    assert bare.inexpressible(ask({"input": "a"}, Surface.EMBEDDINGS), AT).fields == {"embeddings"}


def test_gemini_is_asked_under_its_publisher_and_has_no_list() -> None:
    form = registry.wire_format("vertex-gemini")
    out = form.probe(endpoint("vertex-gemini"))
    assert (out.path, form.models_path) == ("/publishers/google/models/vertex-gemini-upstream:generateContent", None)
