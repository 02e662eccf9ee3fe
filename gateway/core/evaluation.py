"""The first half of a pair of answers, as the gateway hands it to the monitor: what was asked, and what was answered.

Owns the JSON between the two and who is drawn for it. The second answer, its judgement and what follows from many of
them are the monitor's business; nothing of it is ever waited for here.
"""

from collections.abc import Iterable, Sequence
from typing import Annotated, Any

import msgspec
from msgspec import Meta

from gateway.core.policy import NOTHING_REQUIRED, Requirement
from gateway.core.value import Value

PATH = "/api/evaluation/halves"  # on the monitor's port
DRAW_DIGITS = 8  # of a decision's id, which is random

HEADERS = frozenset({"anthropic-version", "anthropic-beta"})
"""Of a client's headers, in lower case, those that change what a provider answers and so go along; never one that names
anybody. The others are not sent to providers either."""
MOST_HEADER_CHARS = 4_000  # of one: betas are words, a few dozen at most

# What is decoded comes over the network, and ends as labels of metrics, lines of logs and numbers that are summed up.
Id = Annotated[str, Meta(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,62}\Z")]  # as the configuration has them
Word = Annotated[str, Meta(max_length=300)]
NotNegative = Annotated[float, Meta(ge=0)]
Header = tuple[Word, Annotated[str, Meta(pattern=r"^[ -~]*\Z", max_length=MOST_HEADER_CHARS)]]


class Half(Value):
    """One request that was drawn, and its answer. `step` is the pair's lower tier; the upper one is `step + 1`."""

    decision: Id
    time_s: NotNegative  # epoch, when the request came in
    route: Id
    task: Id
    step: Annotated[int, Meta(ge=0, le=1000)]
    score: float  # of the prompt for this step; the higher, the more it needs the upper tier
    model: Word  # fingerprint of what made the score
    probability: Annotated[float, Meta(gt=0, le=1)]  # with which it was drawn
    lower: bool  # whether the answer below is the lower tier's: it went there on a certificate
    certificate: Word | None
    surface: Word
    request: dict[str, Any]  # the client's body
    answer: str  # as the client got it: the JSON of a whole one, or the events of a stream
    endpoint: Word  # that gave it
    cost_usd: float | None
    others: tuple[Word, ...]  # endpoints of the other tier that may be asked, the best first
    judges: tuple[Word, ...]  # endpoints that may be asked for a judgement, the best first; none: people only
    budget_usd_per_day: NotNegative  # of its route, for second answers and judgements together
    keep_s: NotNegative  # how long texts may be kept
    labels: tuple[Id, ...] | None = None
    """What the request carries, the names alone: what they demand is asked of the configuration at each call. None: the
    gateway is older and does not say, so nobody can tell who may see the texts, and nobody is shown them."""
    require: Requirement = NOTHING_REQUIRED  # what the request itself demands about data, beside its labels
    headers: tuple[Header, ...] = ()  # of `HEADERS`, as the first answer was asked with


class HalfError(Exception):
    """The text is no list of halves, or a half cannot be written as JSON; the message says why."""


def drawn(decision: str, share: float) -> bool:
    """Whether a request is drawn: by its id, which is random, so that nothing else decides and every replica agrees."""
    return int(decision[:DRAW_DIGITS], 16) < share * float(1 << 4 * DRAW_DIGITS)


def headers_of(given: Iterable[tuple[str, str]]) -> tuple[tuple[str, str], ...] | None:
    """Of those headers the ones that go along; None: one of them cannot, so nobody could be asked the same again."""
    found = tuple((name, value) for name, value in given if name in HEADERS)
    return found if all(_sayable(value) for _, value in found) else None


def headers_again(headers: Sequence[tuple[str, str]]) -> dict[str, str]:
    """What came along, for whoever asks again: only what should have."""
    return {name: value for name, value in headers if name in HEADERS}


def _sayable(value: str) -> bool:
    return value.isascii() and value.isprintable() and len(value) <= MOST_HEADER_CHARS


def encode_half(half: Half) -> bytes:
    """Raises HalfError: a text may hold half an emoji, which no JSON can say."""
    try:
        return msgspec.json.encode(half)
    except (TypeError, ValueError, OverflowError) as error:
        raise HalfError(f"cannot be written as JSON: {type(error).__name__}") from None


def put_together(encoded: Iterable[bytes]) -> bytes:
    """Halves that are encoded, as the list that is sent."""
    return b"[" + b",".join(encoded) + b"]"


def encode_halves(halves: Iterable[Half]) -> bytes:
    """Raises HalfError."""
    return put_together(map(encode_half, halves))


def decode_halves(data: bytes) -> list[Half]:
    """Raises HalfError."""
    try:
        return msgspec.json.decode(data, type=list[Half])
    except msgspec.MsgspecError as error:
        raise HalfError(f"is no list of halves: {error}") from None
    except RecursionError:
        raise HalfError("is nested too deeply") from None
