"""How a Cohere answer ended, and what it used."""

from collections.abc import Mapping

from gateway.core.chat import FinishReason, Json
from gateway.core.failure import AttemptError, Failure, FailureKind
from gateway.core.usage import Usage
from gateway.formats.masking import safe

_FINISH = {
    "COMPLETE": FinishReason.STOP,
    "STOP_SEQUENCE": FinishReason.STOP_SEQUENCE,
    "MAX_TOKENS": FinishReason.LENGTH,
    "TOOL_CALL": FinishReason.TOOL_CALLS,
    "ERROR_TOXIC": FinishReason.CONTENT_FILTER,
    "ERROR_LIMIT": FinishReason.LENGTH,
}
_FAILED = {"ERROR": FailureKind.SERVER_ERROR, "TIMEOUT": FailureKind.SERVER_ERROR}


def read_finish(reason: Json, said: Json = None) -> FinishReason:
    """An unknown reason is a stop, since the answer is whole; raises `AttemptError` where the model failed."""
    if reason in _FAILED:
        shown = safe(said) if isinstance(said, str) and said else "no message"
        raise AttemptError(Failure(_FAILED[reason], f"The model failed ({reason}): {shown}"[:500], 500))
    return _FINISH.get(reason, FinishReason.STOP)


def read_usage(told: Json) -> Usage | None:
    """What is billed, where that is told: the tokens proper also hold Cohere's own preamble, which nobody pays.

    The tokens from Cohere's cache (`cached_tokens`) are of those proper, and no price of theirs is published.
    """
    if not isinstance(told, Mapping):
        return None
    billed, proper = _inner(told, "billed_units"), _inner(told, "tokens")
    prompt = _count(billed, "input_tokens") or _count(proper, "input_tokens")
    output = _count(billed, "output_tokens") or _count(proper, "output_tokens")
    return Usage(input=prompt, output=output) if prompt or output else None


def _inner(told: Mapping[str, Json], key: str) -> Mapping[str, Json]:
    value = told.get(key)
    return value if isinstance(value, Mapping) else {}


def _count(told: Mapping[str, Json], key: str) -> int:
    """Cohere sends its counts as floats now and then."""
    value = told.get(key)
    return max(int(value), 0) if isinstance(value, int | float) else 0
