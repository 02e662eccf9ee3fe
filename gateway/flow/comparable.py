"""Which requests a certificate may send one tier lower: those whose kind is drawn for evaluation, and no other.

What is never compared is never certified, or the promise would rest on requests of another kind. That an answer in the
end was whole is known too late to be asked here.
"""

from collections.abc import Iterable

from gateway.core.ask import Ask, Surface
from gateway.core.policy import Label, Route
from gateway.core.sensitivity import content_allowed
from gateway.flow.keep import KEPT_BYTES
from gateway.flow.screening import KEPT

_SURFACES = frozenset({Surface.CHAT, Surface.MESSAGES, Surface.RESPONSES})  # whose answers can be read back


def step_of(route: Route, ask: Ask, labels: Iterable[Label], tier: int, floor: int) -> int | None:
    """The lower tier of the two that this request's answers are compared of; None: they are not compared.

    Args:
        tier: what its task asks for, or more.
        floor: what anybody demanded, below which it may not go.
    """
    evaluate = route.evaluate
    if evaluate is None or not floor < tier <= evaluate.against:
        return None
    if route.tier_max is not None and tier > route.tier_max:
        return None
    return tier - 1 if _can_be_shown(ask) and content_allowed(labels) else None


def _can_be_shown(ask: Ask) -> bool:
    """Whether question and answer are texts that somebody can read beside another answer, whole."""
    chat = ask.chat
    if chat is None or ask.surface not in _SURFACES or chat.n != 1 or ask.survey.unreadable:
        return False
    return ask.bytes <= KEPT_BYTES and KEPT.isdisjoint(chat.unplaced)
