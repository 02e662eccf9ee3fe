"""What happens in a streamed answer, in neutral words: decoders of wire formats say it, encoders of surfaces write it.

The end of an answer is not an event: a decoder keeps finish reason and usage, since formats send them in any order,
and the relay hands both to the encoder when the upstream is through.
"""

from gateway.core.value import Value


class TextDelta(Value):
    text: str


class RefusalDelta(Value):
    text: str


class ThinkingDelta(Value):
    """A piece of reasoning; a signature or redacted data ends its block. `format`: the wire format that signed."""

    text: str = ""
    signature: str | None = None
    redacted: str | None = None
    format: str | None = None


class ToolStart(Value):
    """A tool call begins; `index` counts the answer's calls from 0, however the upstream counts them."""

    index: int
    id: str
    name: str


class ToolDelta(Value):
    index: int
    arguments: str  # never empty


Delta = TextDelta | RefusalDelta | ThinkingDelta | ToolStart | ToolDelta
