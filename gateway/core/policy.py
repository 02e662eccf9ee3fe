"""The operator's rules, compiled: `pointsman.yaml` as values that routing reads.

Built once per accepted version of the file by `gateway.config` and then never changed; a reload swaps the whole
`Policy`. Names were resolved and checked there: a tier is its index in `Policy.tiers` (0 is the smallest), a label is
known, a pattern is a glob.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from re import Pattern
from typing import Literal

from gateway.core.catalog import Catalog
from gateway.core.classify import UserRule
from gateway.core.opinion import By
from gateway.core.requirement import NOTHING_REQUIRED as NOTHING_REQUIRED
from gateway.core.requirement import Requirement as Requirement


@dataclass(frozen=True, slots=True)
class Label:
    """A sensitivity: what it demands, and whether the scanner puts it on."""

    name: str
    require: Requirement = NOTHING_REQUIRED
    detect: bool = False
    content_allowed: bool = True  # whether records, traces and evaluation may keep text


class NamedModel(StrEnum):
    """What naming a model means on a route."""

    EXACT = "exact"  # that model, at the cheapest healthy provider
    TIER = "tier"  # any model of at least its tier
    ANY = "any"  # ignored


class Objective(StrEnum):
    COST = "cost"
    LATENCY = "latency"
    BALANCED = "balanced"


@dataclass(frozen=True, slots=True)
class Match:
    """Who a route applies to: every given condition must fit; patterns are globs, matched without regard to case."""

    headers: tuple[tuple[str, Pattern[str]], ...] = ()  # lower-cased name, pattern of the value
    keys: tuple[Pattern[str], ...] = ()  # of the client key's id
    models: tuple[Pattern[str], ...] = ()  # of the model as named


@dataclass(frozen=True, slots=True)
class Variant:
    """One arm of an A/B split."""

    name: str
    weight: float
    prefer: tuple[str, ...] = ()  # endpoint ids (or globs already expanded), tried first where eligible


@dataclass(frozen=True, slots=True)
class Escalate:
    """The 80/20 mode: this share of the route's `auto` requests, the most difficult ones, goes to tier `to`."""

    share: float
    to: int
    by: Literal["score", "feedback"] = "score"
    bad: Mapping[str, float] = field(default_factory=dict)  # by feedback: share of a task's answers that were bad


@dataclass(frozen=True, slots=True)
class Evaluate:
    """Blind evaluation of a route: a share of what the router chose a tier for is answered by the neighbouring tier as
    well, and somebody says which answer is the better one. Certificates rest on it, so without it there are none."""

    share: float  # of the requests that a certificate could apply to, in (0, 1]
    against: int  # the highest tier that is compared, with the one below it; never the lowest
    budget_usd_per_day: float = 5.0  # for second answers and judgements together
    judge: Literal["people", "model", "both"] = "people"
    judge_model: str | None = None  # model or endpoint id; None with "both": the cheapest of tier `against`
    max_loss: float = 0.02  # of quality, on average, that a certificate may cost
    confidence: float = 0.95  # of what a certificate promises
    auto: bool = True  # False: certificates are shown and proposed, and change nothing
    keep_s: float = 90 * 86_400.0  # texts


@dataclass(frozen=True, slots=True)
class Limits:
    cost_per_request_usd: float | None = None
    attempts: int = 4
    deadline_s: float = 600.0  # until the commit point
    total_s: float = 3600.0  # of everything


@dataclass(frozen=True, slots=True)
class Route:
    name: str
    match: Match = Match()
    sensitivity: str | None = None  # a floor
    tier_min: int | None = None
    tier_max: int | None = None
    named_model: NamedModel = NamedModel.EXACT
    objective: Objective = Objective.COST
    first_token_p95_ms: float | None = None
    limits: Limits = Limits()
    baseline: str | None = None  # endpoint id that savings are counted against
    split: tuple[Variant, ...] = ()
    escalate: Escalate | None = None
    models: tuple[str, ...] = ()  # what `auto` means here: one of these, for whatever they can be asked
    fallbacks: tuple[str, ...] = ()  # tried in turn when what was named cannot serve
    record_full: bool = False  # keep texts in the record, where every label allows it
    evaluate: Evaluate | None = None


@dataclass(frozen=True, slots=True)
class ClientKey:
    id: str
    sha256: bytes  # of the key, 32 bytes


@dataclass(frozen=True, slots=True)
class Policy:
    tiers: tuple[str, ...]
    routes: tuple[Route, ...]  # the last one fits every request
    labels: dict[str, Label]
    tasks: tuple[str, ...]
    task_tiers: dict[str, int]
    rules: tuple[UserRule, ...]
    catalog: Catalog
    keys: tuple[ClientKey, ...] | None = None  # None: the API is open
    generation: str = ""  # of the file: short hash of its bytes
    classify_by: By = "rules"
    compat: frozenset[str] = frozenset()  # other gateways whose wishes are understood, as `core.compat` names them

    @property
    def detecting_labels(self) -> tuple[str, ...]:
        return tuple(label.name for label in self.labels.values() if label.detect)

