"""Typed reading of a client's JSON, with the position of what is wrong in every complaint."""

from collections.abc import Mapping, Sequence

from gateway.core.chat import Json
from gateway.formats.surface import BadRequest

_NAMES = {
    dict: "an object",
    list: "an array",
    str: "a string",
    bool: "true or false",
    int: "an integer",
    float: "a number",
}


def kind(value: Json) -> str:
    """What a JSON value is, for people."""
    return "null" if value is None else _NAMES[type(value)]


def wrong(where: str, wanted: str, value: Json) -> BadRequest:
    return BadRequest(f"{where} must be {wanted}, not {kind(value)}.", where)


def text(value: Json, where: str) -> str:
    if not isinstance(value, str):
        raise wrong(where, "a string", value)
    return value


def filled(value: Json, where: str) -> str:
    """A string that is not empty."""
    if value is None:
        raise BadRequest(f"{where} is missing: it must be a string.", where)
    if text(value, where) == "":
        raise BadRequest(f"{where} must not be empty.", where)
    return str(value)


def mapping(value: Json, where: str) -> Mapping[str, Json]:
    if not isinstance(value, dict):
        raise wrong(where, "an object", value)
    return value


def items(value: Json, where: str) -> Sequence[Json]:
    if not isinstance(value, list):
        raise wrong(where, "an array", value)
    return value


def optional_text(body: Mapping[str, Json], key: str, prefix: str = "") -> str | None:
    value = body.get(key)
    return None if value is None else text(value, prefix + key)


def optional_mapping(body: Mapping[str, Json], key: str, prefix: str = "") -> Mapping[str, Json] | None:
    value = body.get(key)
    return None if value is None else mapping(value, prefix + key)


def optional_number(body: Mapping[str, Json], key: str) -> float | None:
    value = body.get(key)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise wrong(key, "a number", value)
    return value


def optional_int(body: Mapping[str, Json], key: str, prefix: str = "") -> int | None:
    value = body.get(key)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int):
        raise wrong(prefix + key, "an integer", value)
    return value


def positive_int(body: Mapping[str, Json], key: str, prefix: str = "") -> int | None:
    value = optional_int(body, key, prefix)
    if value is not None and value < 1:
        raise BadRequest(f"{prefix}{key} must be a positive integer, not {value}.", prefix + key)
    return value


def flag(body: Mapping[str, Json], key: str, prefix: str = "") -> bool | None:
    value = body.get(key)
    if value is not None and not isinstance(value, bool):
        raise wrong(prefix + key, "true or false", value)
    return value


def one_of(value: Json, where: str, known: Sequence[str]) -> str:
    if value not in known:
        shown = repr(value) if isinstance(value, str) else kind(value)
        raise BadRequest(f"{where} must be one of {', '.join(known)}; got {shown[:60]}.", where)
    return str(value)


def texts(value: Json, where: str) -> tuple[str, ...]:
    """A string, or an array of strings."""
    if value is None:
        return ()
    if isinstance(value, str):
        return (value,)
    return tuple(text(item, f"{where}[{index}]") for index, item in enumerate(items(value, where)))
