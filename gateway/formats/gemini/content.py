"""How a Gemini answer ended, and what it used."""

from collections.abc import Mapping

from gateway.core.chat import FinishReason, Json
from gateway.core.failure import AttemptError, Failure, FailureKind
from gateway.core.usage import Usage
from gateway.formats.hints import words
from gateway.formats.upstream_errors import malformed

# google-genai, `types.FinishReason`; what is not here is a stop, since the answer is whole.
_FINISH = {
    "MAX_TOKENS": FinishReason.LENGTH,
    "CONTINUATION": FinishReason.LENGTH,
    "SAFETY": FinishReason.CONTENT_FILTER,
    "RECITATION": FinishReason.CONTENT_FILTER,
    "LANGUAGE": FinishReason.CONTENT_FILTER,
    "BLOCKLIST": FinishReason.CONTENT_FILTER,
    "PROHIBITED_CONTENT": FinishReason.CONTENT_FILTER,
    "SPII": FinishReason.CONTENT_FILTER,
    "IMAGE_SAFETY": FinishReason.CONTENT_FILTER,
    "IMAGE_PROHIBITED_CONTENT": FinishReason.CONTENT_FILTER,
    "IMAGE_RECITATION": FinishReason.CONTENT_FILTER,
    "ESCALATION": FinishReason.CONTENT_FILTER,
    "MODEL_ARMOR": FinishReason.CONTENT_FILTER,
}
_SPOILT = words("MALFORMED_FUNCTION_CALL MALFORMED_RESPONSE MISSING_THOUGHT_SIGNATURE TOO_MANY_TOOL_CALLS")


def read_finish(reason: str, said: Json, *, calls: bool) -> FinishReason:
    """Raises `AttemptError` where the answer came to nothing; `said` is the provider's own explanation.

    A call of a function that was not declared is a call all the same: what comes of it is the client's to say.
    """
    if reason in _SPOILT or (reason == "UNEXPECTED_TOOL_CALL" and not calls):
        raise malformed(f"The model's answer was unusable ({reason}{': ' + str(said)[:200] if said else ''}).")
    if reason == "PUP_LIMITED_DISABLED":
        raise AttemptError(Failure(FailureKind.CREDENTIAL, "The account is limited for violations of policy.", 403))
    finish = _FINISH.get(reason, FinishReason.STOP)
    return FinishReason.TOOL_CALLS if calls and finish is FinishReason.STOP else finish


def read_usage(told: Mapping[str, Json]) -> Usage | None:
    """Thoughts stand beside the candidates, results of Google's own tools beside the prompt. None: nothing counted."""
    prompt = _count(told, "promptTokenCount") + _count(told, "toolUsePromptTokenCount")
    thoughts = _count(told, "thoughtsTokenCount")
    output = _count(told, "candidatesTokenCount") + thoughts
    if not (prompt or output):
        return None
    cached = min(_count(told, "cachedContentTokenCount"), prompt)
    return Usage(input=prompt, cached_input=cached, output=output, reasoning=thoughts)


def _count(told: Mapping[str, Json], key: str) -> int:
    value = told.get(key)
    return max(value, 0) if isinstance(value, int) else 0
