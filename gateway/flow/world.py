"""Everything that routing reads, in one accepted version.

A reload builds a new `World` and swaps it; requests that are under way keep the one they began with.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from gateway.core.breaker import BreakerRules
from gateway.core.catalog import Endpoint
from gateway.core.certificate import Certificate, Grounds
from gateway.core.classify import Classifier
from gateway.core.named import Names
from gateway.core.opinion import Judge, fingerprint_of
from gateway.core.policy import Policy
from gateway.core.pricing import Price
from gateway.core.scan import Scanner
from gateway.core.screen import Kind, kind_of


@dataclass(frozen=True, slots=True)
class World:
    policy: Policy
    names: Names
    classifier: Classifier
    scanner: Scanner | None  # None where no label is put on by detection
    prices: Mapping[str, Price | None]  # by endpoint id; None: unknown
    breaker_rules: BreakerRules
    kinds: tuple[tuple[Kind, Endpoint], ...]  # one endpoint of every kind, to ask its wire format on behalf of all
    judge: Judge | None = None  # a learned model, where the configuration asks for one
    grounds: Grounds | None = None  # on which requests may be sent to a lower tier

    def fingerprint(self) -> str:
        """Of what scores prompts here; what was certified for another holds for none of them."""
        return fingerprint_of(self.judge, self.classifier.fingerprint, self.policy.tiers)

    def certified(self, certificates: Iterable[Certificate]) -> "World":
        """The same with these certificates, as far as they are about its scores."""
        return replace(self, grounds=Grounds(certificates, self.fingerprint()))


def kinds_of(policy: Policy) -> tuple[tuple[Kind, Endpoint], ...]:
    """One endpoint of every kind in the catalog."""
    found: dict[Kind, Endpoint] = {}
    for endpoint in policy.catalog.endpoints.values():
        found.setdefault(kind_of(endpoint), endpoint)
    return tuple(found.items())
