"""What a request asks for in another gateway's words, as far as the plan can take it over."""

from collections.abc import Mapping

from gateway.core.chat import Json
from gateway.core.extras import MAX_TAG_CHARS, MAX_TAGS, BadExtra, OnlyAfter
from gateway.core.value import Value

LITELLM = "litellm"
PORTKEY = "portkey"
PRODUCTS = (LITELLM, PORTKEY)


class Foreign(Value):
    """Each of its wishes can only tighten: fewer tries, an earlier deadline, fewer endpoints."""

    fallbacks: tuple[str, ...] = ()  # models to try when the one that is named cannot serve
    retries: int | None = None  # of each model: tries beyond the first, at other endpoints that have it
    deadline_s: float | None = None
    tags: tuple[tuple[str, str], ...] = ()
    only_after: OnlyAfter | None = None


NOTHING = Foreign()


def whole_number(value: Json, param: str) -> int:
    """A number from 0; as text too, since a form has nothing else."""
    if isinstance(value, str) and value.isdecimal() and value.isascii() and len(value) < 10:
        value = int(value)
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value < 1_000_000:
        raise BadExtra(param, "must be a whole number such as 2")
    return value


def positive(value: Json, param: str, right: str) -> float:
    """A finite number above 0; as text too, since a form has nothing else."""
    try:
        number = -1.0 if isinstance(value, bool) else float(value)
    except (TypeError, ValueError, OverflowError):
        number = -1.0
    if not 0 < number < 1e9:
        raise BadExtra(param, f"must be {right}")
    return number


def bounded_tags(tags: tuple[tuple[str, str], ...], param: str) -> tuple[tuple[str, str], ...]:
    """The tags, unless records could not hold them."""
    if len(tags) > MAX_TAGS:
        raise BadExtra(param, f"at most {MAX_TAGS} tags, got {len(tags)}")
    for key, value in tags:
        text = f"{key}={value}"
        if not key.strip() or len(text) > MAX_TAG_CHARS or not is_utf8(text):
            raise BadExtra(param, f"must be texts of 1 to {MAX_TAG_CHARS} characters")
    return tags


def is_utf8(text: str) -> bool:
    """Whether a record can hold it: JSON may carry half of a surrogate pair."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def without(body: Mapping[str, Json], names: frozenset[str]) -> dict[str, Json]:
    return {name: value for name, value in body.items() if name not in names}
