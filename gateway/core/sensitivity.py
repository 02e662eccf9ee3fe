"""Which labels a request carries, what they demand, and who gives it.

Fails closed: an unknown or expired fact is no guarantee, and what several labels demand adds up.
"""

from collections.abc import Iterable, Sequence
from datetime import date

from gateway.core.catalog import Privacy
from gateway.core.extras import ProviderRules
from gateway.core.policy import Label, Policy, Requirement


def merged(labels: Iterable[Label]) -> Requirement:
    """The demand of all labels together: the strictest of each."""
    whole = Requirement()
    for label in labels:
        whole = both(whole, label.require)
    return whole


def both(a: Requirement, b: Requirement) -> Requirement:
    """What satisfies `a` and `b`."""
    days = [d for d in (a.retention_days, b.retention_days) if d is not None]
    regions = [r for r in (a.regions, b.regions) if r is not None]
    return Requirement(
        trains_on_data=False if False in (a.trains_on_data, b.trains_on_data) else None,
        retention_days=min(days) if days else None,
        regions=frozenset.intersection(*regions) if regions else None,
        certifications=frozenset((a.certifications or frozenset()) | (b.certifications or frozenset())) or None,
    )


def of_rules(rules: ProviderRules) -> Requirement:
    """What the request's own `provider` object demands about data."""
    return Requirement(
        trains_on_data=False if rules.deny_data_collection else None,
        retention_days=0 if rules.zdr else None,
    )


def missing(require: Requirement, privacy: Privacy, today: date) -> tuple[str, ...]:
    """Names of the demanded facts that `privacy` does not guarantee on `today`; empty: it guarantees them all."""
    if require.empty:
        return ()
    if privacy.expires is not None and today >= privacy.expires:
        privacy = Privacy()
    lacking = []
    if require.trains_on_data is False and privacy.trains_on_data is not False:
        lacking.append("trains_on_data")
    if require.retention_days is not None and (
        privacy.retention_days is None or privacy.retention_days > require.retention_days
    ):
        lacking.append("retention_days")
    if require.regions is not None and not (privacy.regions and privacy.regions <= require.regions):
        lacking.append("regions")
    if require.certifications is not None and not (
        privacy.certifications and privacy.certifications >= require.certifications
    ):
        lacking.append("certifications")
    return tuple(lacking)


def labels_of(policy: Policy, floors: Sequence[str], asked: Sequence[str], found: bool) -> tuple[Label, ...]:
    """All labels of a request, without repetition, in the order of the file.

    Args:
        policy: knows the labels.
        floors: of every route that fits.
        asked: by the request's header.
        found: whether the scanner found something, or could not read a part.
    """
    if not (floors or asked or found):
        return ()
    names = {*floors, *asked}
    if found:
        names.update(policy.detecting_labels)
    return tuple(label for name, label in policy.labels.items() if name in names)


def content_allowed(labels: Iterable[Label]) -> bool:
    """Whether records, traces and evaluation may hold texts of a request with these labels: one can forbid it."""
    return all(label.content_allowed for label in labels)
