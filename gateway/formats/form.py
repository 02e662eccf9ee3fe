"""Whether an answer has the form that was asked for: JSON, where the request said so.

Owns what counts as kept. That the JSON follows its schema is not looked at: providers that honour schemas do so, and
checking one costs more than all the rest of a request. Requests that ask for no form pay nothing for it.
"""

from collections.abc import Sequence

from gateway.core.ask import Ask
from gateway.core.chat import FinishReason
from gateway.formats import codec

JUDGED_CHARS = 1 << 20  # reading a longer answer would hold up others for milliseconds
_OTHER_ENDS = frozenset(
    {FinishReason.REFUSAL, FinishReason.CONTENT_FILTER, FinishReason.PAUSE, FinishReason.TOOL_CALLS}
)


def place_for_text(ask: Ask) -> list[str] | None:
    """Where an answer's text is kept, so that its form can be judged; None: nobody asked for a form.

    Several answers at once (`n`) come as one text, which tells nothing of any of them.
    """
    chat = ask.chat
    if chat is None or chat.response_format is None or chat.response_format.kind == "text" or chat.n > 1:
        return None
    return []


def in_form(ask: Ask, texts: Sequence[str], finish: FinishReason | None) -> bool | None:
    """Whether a whole answer is JSON, as asked (an object, for `json_object`); one that was cut at its limit is not.

    None: that cannot be said, since it is a refusal, calls tools instead, or is too long.
    """
    if finish in _OTHER_ENDS or sum(map(len, texts)) > JUDGED_CHARS:
        return None
    try:
        found = codec.loads("".join(texts).encode("utf-8", "surrogatepass"))
    except ValueError:
        return False
    chat = ask.chat
    object_asked = chat is not None and chat.response_format is not None and chat.response_format.kind == "json_object"
    return isinstance(found, dict) or not object_asked
