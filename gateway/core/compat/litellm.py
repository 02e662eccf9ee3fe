"""LiteLLM's body fields: `fallbacks`, `num_retries`, `timeout`, `tags` and `metadata.tags`.

Source: LiteLLM's documentation, "Reliability" (client-side fallbacks, timeouts) and "Request tags".
"""

from collections.abc import Mapping

from gateway.core.chat import Json
from gateway.core.compat.foreign import NOTHING, Foreign, bounded_tags, positive, whole_number, without
from gateway.core.extras import BadExtra

FIELDS = frozenset({"fallbacks", "num_retries", "timeout", "tags"})


def read_litellm(body: Mapping[str, Json]) -> tuple[Foreign, Mapping[str, Json]]:
    """The wishes, and the body without them.

    Raises:
        BadExtra: one of them cannot be read.
    """
    metadata = body.get("metadata")
    tagged = isinstance(metadata, dict) and "tags" in metadata
    if FIELDS.isdisjoint(body) and not tagged:
        return NOTHING, body
    rest = without(body, FIELDS)
    tags = _tags(body.get("tags"), "tags")
    if isinstance(metadata, dict) and tagged:
        tags += _tags(metadata["tags"], "metadata.tags")
        rest["metadata"] = without(metadata, frozenset({"tags"}))
        if not rest["metadata"]:
            del rest["metadata"]
    retries, timeout = body.get("num_retries"), body.get("timeout")
    foreign = Foreign(
        fallbacks=_fallbacks(body.get("fallbacks"), body.get("model")),
        retries=None if retries is None else whole_number(retries, "num_retries"),
        deadline_s=None if timeout is None else positive(timeout, "timeout", "a number of seconds such as 30"),
        tags=bounded_tags(tags, "tags"),
    )
    return foreign, rest


def _fallbacks(value: Json, model: Json) -> tuple[str, ...]:
    """Names in order. A map from a model to its fallbacks counts where it is about the model of this request."""
    if value is None:
        return ()
    if not isinstance(value, list):
        raise BadExtra("fallbacks", 'must be a list such as ["gpt-4o", {"model": "claude-sonnet-4-5"}]')
    names: list[str] = []
    for index, one in enumerate(value):
        names += _names(one, model, f"fallbacks[{index}]")
    return tuple(dict.fromkeys(names))


def _names(one: Json, model: Json, param: str) -> list[str]:
    if isinstance(one, str) and one:
        return [one]
    if not isinstance(one, dict) or len(one) != 1:
        raise BadExtra(param, 'must be a name or {"model": NAME}; a fallback cannot bring fields of its own')
    (key, value), = one.items()
    names = value if isinstance(value, list) else [value]
    if not names or not all(isinstance(name, str) and name for name in names):
        raise BadExtra(f"{param}.{key[:64]}", "must be a name or a list of names")
    return names if key in ("model", "*", model) else []


def _tags(value: Json, param: str) -> tuple[tuple[str, str], ...]:
    """LiteLLM's tags are words; many are written `key:value`, which is what ours are."""
    if value is None:
        return ()
    words = [value] if isinstance(value, str) else value
    if not isinstance(words, list) or not all(isinstance(word, str) for word in words):
        raise BadExtra(param, "must be a list of texts")
    pairs = (word.partition(":") for word in words)
    return tuple((key.strip(), text.strip()) for key, _, text in pairs)
