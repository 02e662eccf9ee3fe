"""Anthropic usage into the normalised one: `input_tokens` leaves out what was read from or written to the cache."""

from collections.abc import Mapping

from msgspec.structs import replace

from gateway.core.chat import Json
from gateway.core.usage import Usage


def _merged(earlier: Mapping[str, Json], later: Json) -> dict[str, Json]:
    """Counts are cumulative: the later one wins where it says something."""
    if not isinstance(later, Mapping):
        return dict(earlier)
    return {**earlier, **{key: value for key, value in later.items() if value is not None}}


class Counter:
    """Usage over a stream: `message_start` tells the input, only `message_delta` the whole output."""

    def __init__(self) -> None:
        self._told: dict[str, Json] = {}

    def start(self, usage: Json) -> Usage | None:
        self._told = _merged(self._told, usage)
        used = read_usage(self._told)
        return None if used is None else replace(used, estimated=True)

    def end(self, usage: Json) -> Usage | None:
        self._told = _merged(self._told, usage)
        return read_usage(self._told)


def read_usage(usage: Mapping[str, Json]) -> Usage | None:
    """None where nothing was counted."""
    fresh, output = _count(usage, "input_tokens"), _count(usage, "output_tokens")
    read, written = _count(usage, "cache_read_input_tokens"), _count(usage, "cache_creation_input_tokens")
    if not (fresh or output or read or written):
        return None
    kept = usage.get("cache_creation")
    hour = _count(kept, "ephemeral_1h_input_tokens") if isinstance(kept, Mapping) else 0
    details = usage.get("output_tokens_details")
    thinking = _count(details, "thinking_tokens") if isinstance(details, Mapping) else 0
    return Usage(
        input=fresh + read + written,
        cached_input=read,
        cache_write=written,
        output=output,
        reasoning=min(thinking, output),
        cache_write_1h=min(hour, written),
    )


def _count(usage: Mapping[str, Json], key: str) -> int:
    value = usage.get(key)
    return max(value, 0) if isinstance(value, int) else 0
