"""What the walk knows of a request between its stages: who asks, when, and what the first stages have found."""

from collections.abc import Mapping

from gateway.core.ask import Ask
from gateway.core.classify import Classification
from gateway.core.extras import Extras
from gateway.core.named import Named
from gateway.core.policy import Label, Route, Variant
from gateway.core.value import Value


class Client(Value):
    """Who asks, and with which headers (lower-cased names)."""

    key_id: str | None
    headers: Mapping[str, str]


class Moment(Value):
    """One instant on both clocks: Unix seconds for prices and dates, monotonic seconds for health and deadlines."""

    epoch_s: float
    now_s: float



class Stage(Value):
    """What the stages before the candidates have found."""

    ask: Ask
    extras: Extras
    named: Named
    route: Route
    variant: Variant | None
    labels: tuple[Label, ...]
    found: Classification
    tier: int | None
    home_tier: int  # tier that the conversation's first request needed: where its prompt cache is
    opening_task: str  # what that request was
    escalated: bool
    moment: Moment
    step: int | None = None  # lower tier of the pair that a certificate may choose between; None: there is no choice
    certificate: str | None = None
