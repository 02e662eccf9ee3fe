"""Who may be shown the texts of a pair, by the configuration in force now. Pure.

The gateway has named endpoints when the request came. Pairs wait for hours and days, and whatever is stricter since
then holds for them as well: labels, routes, what providers guarantee, and rows of data policy that have expired.
"""

from collections.abc import Iterator
from datetime import date

from gateway.core.policy import Policy
from gateway.core.sensitivity import both, merged, missing
from monitor.evaluation.pairs import Terms


def withheld(terms: Terms, policy: Policy) -> str | None:
    """Why the texts may be sent to nobody at all; None: to those who guarantee what is demanded."""
    if terms.labels is None:
        return "the gateway that drew it is older and does not say which labels it carries"
    for name in _names(terms, policy):
        label = policy.labels.get(name)
        if label is None:
            return f"it carries the label {name}, which the configuration does not know"
        if not label.content_allowed:
            return f"it carries the label {name}, which forbids to keep content"
    return None


def barred(terms: Terms, policy: Policy) -> bool:
    """Whether the texts may be kept no longer: a known label forbids it. One that nobody knows may be a slip."""
    return any(name in policy.labels and not policy.labels[name].content_allowed for name in _names(terms, policy))


def lacking(terms: Terms, policy: Policy, provider: str, today: date) -> tuple[str, ...]:
    """What is demanded of `provider` and not guaranteed on `today`, as the gateway screens. Not of what is withheld."""
    require = both(merged(policy.labels[name] for name in _names(terms, policy)), terms.require)
    return missing(require, policy.catalog.providers[provider].privacy, today)


def _names(terms: Terms, policy: Policy) -> Iterator[str]:
    """Of the request's labels, and of the one that its route puts on by now."""
    yield from terms.labels or ()
    yield from (route.sensitivity for route in policy.routes if route.name == terms.route and route.sensitivity)
