"""The carrier of signed reasoning where a surface has one opaque field for it.

That is `encrypted_content` of a reasoning item (responses) and `data` of redacted thinking (messages): clients send
both back unchanged. What the surface's own wire format signed stands there as it is; what another one signed is put
there with that format's name, so that the reasoning finds its way back to who signed it.
"""

from gateway.core.chat import Thinking

NATIVE = "responses"  # the wire format whose own field it is
_OURS = "pointsman"
_SIGNED, _REDACTED = "signed", "redacted"


def is_sealed(data: str) -> bool:
    return data.startswith(f"{_OURS}:")


def seal(part: Thinking, native: str = NATIVE) -> str | None:
    """None for reasoning that nobody signed; `native` is the wire format whose signatures need no name."""
    if part.redacted is not None:
        return ":".join((_OURS, part.format or "", _REDACTED, part.redacted))
    if part.signature is None:
        return None
    if part.format == native:
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
