"""LiteLLM's body fields: read, taken out of the body, refused by name."""

from typing import Any

import pytest

from gateway.core.compat.foreign import NOTHING, Foreign
from gateway.core.compat.litellm import read_litellm
from gateway.core.extras import BadExtra


def test_leaves_a_body_without_them_alone() -> None:
    body = {"model": "m", "metadata": {"user_id": "u"}}
    assert read_litellm(body) == (NOTHING, body)
    assert read_litellm({"model": "m", "metadata": "text"}) == (NOTHING, {"model": "m", "metadata": "text"})


def test_takes_every_field_out_of_the_body() -> None:
    body = {
        "model": "m", "fallbacks": ["a"], "num_retries": 2, "timeout": 1.5, "tags": ["team:kb", "nightly"],
        "metadata": {"tags": ["run: 7"], "user_id": "u"}, "seed": 1,
    }  # fmt: skip
    foreign = Foreign(("a",), 2, 1.5, (("team", "kb"), ("nightly", ""), ("run", "7")))
    assert read_litellm(body) == (foreign, {"model": "m", "metadata": {"user_id": "u"}, "seed": 1})


def test_leaves_no_empty_metadata_behind() -> None:
    assert read_litellm({"metadata": {"tags": ["a"]}}) == (Foreign(tags=(("a", ""),)), {})


def test_takes_null_for_nothing_and_the_texts_of_a_form() -> None:
    nothing = {"fallbacks": None, "num_retries": None, "timeout": None, "tags": None, "metadata": {"tags": None}}
    assert read_litellm(nothing) == (Foreign(), {})
    form = {"num_retries": "0", "timeout": "30", "tags": "team:kb"}
    assert read_litellm(form) == (Foreign(retries=0, deadline_s=30.0, tags=(("team", "kb"),)), {})


@pytest.mark.parametrize(
    ("fallbacks", "names"),
    [
        (["a", "b", "a"], ("a", "b")),
        ([{"model": "a"}, "b"], ("a", "b")),
        ([{"model": ["a", "b"]}], ("a", "b")),
        ([{"m": ["a"]}, {"other": ["x"]}, {"*": ["z"]}], ("a", "z")),
        ([], ()),
    ],
)
def test_reads_fallbacks_as_names_and_as_maps(fallbacks: list[Any], names: tuple[str, ...]) -> None:
    assert read_litellm({"model": "m", "fallbacks": fallbacks})[0].fallbacks == names


@pytest.mark.parametrize(
    ("body", "param", "words"),
    [
        ({"fallbacks": "a"}, "fallbacks", "must be a list such as"),
        ({"fallbacks": [""]}, "fallbacks[0]", "must be a name or"),
        ({"fallbacks": ["a", {"model": "b", "messages": []}]}, "fallbacks[1]", "must be a name or"),
        ({"fallbacks": [{"model": []}]}, "fallbacks[0].model", "must be a name or a list of names"),
        ({"fallbacks": [{"model": [7]}]}, "fallbacks[0].model", "must be a name or a list of names"),
        ({"num_retries": -1}, "num_retries", "must be a whole number such as 2"),
        ({"num_retries": True}, "num_retries", "must be a whole number such as 2"),
        ({"num_retries": "two"}, "num_retries", "must be a whole number such as 2"),
        ({"num_retries": 1.5}, "num_retries", "must be a whole number such as 2"),
        ({"timeout": 0}, "timeout", "must be a number of seconds such as 30"),
        ({"timeout": True}, "timeout", "must be a number of seconds such as 30"),
        ({"timeout": [1]}, "timeout", "must be a number of seconds such as 30"),
        ({"timeout": 10**400}, "timeout", "must be a number of seconds such as 30"),
        ({"tags": [1]}, "tags", "must be a list of texts"),
        ({"tags": {}}, "tags", "must be a list of texts"),
        ({"metadata": {"tags": 1}}, "metadata.tags", "must be a list of texts"),
        ({"tags": [":x"]}, "tags", "must be texts of 1 to 128 characters"),
        ({"tags": ["x" * 129]}, "tags", "must be texts of 1 to 128 characters"),
        ({"tags": ["\ud800"]}, "tags", "must be texts of 1 to 128 characters"),
        ({"tags": [str(n) for n in range(33)]}, "tags", "at most 32 tags, got 33"),
    ],
)
def test_refuses_what_it_cannot_read(body: dict[str, Any], param: str, words: str) -> None:
    with pytest.raises(BadExtra) as caught:
        read_litellm(body)
    assert (caught.value.param, caught.value.message[: len(words)]) == (param, words)
