"""How many output tokens an attempt asks for, and what is left of the request's cost promise.

The promise (CONTRACT §5): the sum over all attempts that may be billed stays within the limit, whatever the provider
reports. So each attempt is sent with an output cap whose upper bound fits into what is left, and leaves half of it
for another candidate as long as that buys a useful answer.
"""

from gateway.core.ask import Ask
from gateway.core.catalog import Endpoint
from gateway.core.plan import Sizes, Wishes, affordable, useful_output
from gateway.core.pricing import Price

DEFAULT_MAX_OUTPUT = 4_096  # where a format requires one and no source knows the model's: every Claude allows it


class Unaffordable(Exception):
    """What is left of the promise buys no useful answer at this endpoint."""


def cost_cap(
    endpoint: Endpoint, price: Price | None, sizes: Sizes, wishes: Wishes, left_usd: float, candidates_left: int
) -> int:
    """Output cap within what is left of the promise.

    Raises:
        Unaffordable: not even the smallest useful answer fits.
    """
    whole = affordable(endpoint, price, sizes, wishes, left_usd)
    if whole is None:
        raise Unaffordable
    if candidates_left > 0:
        half = affordable(endpoint, price, sizes, wishes, left_usd / 2)
        if half is not None and half >= useful_output(endpoint):
            return half
    return whole


def max_output(ask: Ask, endpoint: Endpoint, required: bool, estimated_input: int, cap: int | None) -> int | None:
    """The output limit to send, or None to send none.

    Args:
        ask: carries the client's own limit.
        endpoint: its output limit and context.
        required: whether the wire format demands a limit.
        estimated_input: tokens; a limit that does not fit beside it into the context is lowered.
        cap: of the cost promise, where there is one.
    """
    asked = ask.survey.max_tokens
    if asked is None and cap is None and not required:
        return None
    known = [limit for limit in (asked, endpoint.max_output, cap) if limit is not None]
    value = min(known, default=DEFAULT_MAX_OUTPUT)
    if endpoint.context is not None and value > endpoint.context - estimated_input:
        value = max(1, endpoint.context - estimated_input)
    return value
