"""The carrier of signed reasoning on the responses surface: `encrypted_content` of a reasoning item.

That field is opaque to clients, who send it back unchanged. What OpenAI encrypted stands there as it is; what another
wire format signed is put there with that format's name, so that the reasoning finds its way back to who signed it.
"""

from gateway.core.chat import Thinking

NATIVE = "responses"  # the wire format whose own field it is
_OURS = "pointsman"
_SIGNED, _REDACTED = "signed", "redacted"


def seal(part: Thinking) -> str | None:
    """None for reasoning that nobody signed."""
    if part.redacted is not None:
        return ":".join((_OURS, part.format or "", _REDACTED, part.redacted))
    if part.signature is None:
        return None
    if part.format == NATIVE:
        return part.signature
    return ":".join((_OURS, part.format or "", _SIGNED, part.signature))


def unseal(sealed: str, text: str) -> Thinking:
    """The reasoning that `sealed` belongs to, with its readable text."""
    ours, _, rest = sealed.partition(":")
    form, _, rest = rest.partition(":")
    kind, _, data = rest.partition(":")
    if ours != _OURS or kind not in (_SIGNED, _REDACTED):
        return Thinking(text, sealed, format=NATIVE)
    if kind == _REDACTED:
        return Thinking(text, redacted=data, format=form or None)
    return Thinking(text, data, format=form or None)
