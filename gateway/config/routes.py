"""The `routes` block as core routes: names resolved, patterns compiled, a last route that fits everything.

Knows the endpoints there are, to check what a route names; decides nothing about a request.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from gateway.config.defaults import DEFAULT_ROUTE
from gateway.config.globs import compiled_alternatives, compiled_globs
from gateway.config.known import Known
from gateway.config.model import Arm, EvaluateRow, File, MatchRow, RouteRow
from gateway.config.problems import Findings, Path, not_one_of
from gateway.config.providers import Offer
from gateway.core.catalog import Operation
from gateway.core.named import Names
from gateway.core.policy import Escalate, Evaluate, Label, Limits, Match, NamedModel, Objective, Route, Variant


@dataclass(frozen=True, slots=True)
class Around:
    """What the names in a route are checked against."""

    tiers: tuple[str, ...]
    labels: Mapping[str, Label]
    tasks: Iterable[str]
    offer: Offer
    names: Names
    known: Known
    automatic: bool  # the file names no providers: which there are depends on the keys of the day


def routes_of(file: File, around: Around, findings: Findings) -> tuple[Route, ...]:
    """All routes of the file, and where the last one has a `match`, a default one behind them."""
    routes = []
    names: set[str] = set()
    for index, row in enumerate(file.routes):
        if row.name in names:
            findings.problem(("routes", index, "name"), f'"{row.name}" is the name of an earlier route')
        names.add(row.name)
        routes.append(_Row(row, ("routes", index), around, findings).route())
    if not routes or routes[-1].match != Match():
        if DEFAULT_ROUTE in names:
            at = ("routes", [row.name for row in file.routes].index(DEFAULT_ROUTE), "match")
            findings.problem(
                at, f'the last route must have no match; without one, none may be named "{DEFAULT_ROUTE}" but the last'
            )
        routes.append(Route(DEFAULT_ROUTE))
    return tuple(routes)


@dataclass(frozen=True, slots=True)
class _Row:
    row: RouteRow
    at: Path
    around: Around
    findings: Findings

    def route(self) -> Route:
        row = self.row
        limits = row.limits
        if limits.deadline > limits.total:
            self._problem(("limits", "deadline"), "is longer than total")
        return Route(
            name=row.name,
            match=_match(row.match or MatchRow()),
            sensitivity=self._label(),
            tier_min=self._tier(row.tier.min, "tier", "min"),
            tier_max=self._tier_max(),
            named_model=NamedModel(row.named_model),
            objective=Objective(row.objective),
            first_token_p95_ms=row.latency.first_token_p95 * 1000 if row.latency else None,
            limits=Limits(
                cost_per_request_usd=limits.cost_per_request,
                attempts=limits.attempts,
                deadline_s=limits.deadline,
                total_s=limits.total,
            ),
            baseline=self._baseline(),
            split=self._split(row.split or []),
            escalate=self._escalate(),
            models=self._models(self.row.model, "model"),
            fallbacks=self._models(self.row.fallbacks, "fallbacks"),
            record_full=row.record == "full",
            evaluate=None if row.evaluate is None else self._evaluate(row.evaluate),
        )

    def _problem(self, below: Path, message: str) -> None:
        self.findings.problem((*self.at, *below), message)

    def _label(self) -> str | None:
        label = self.row.sensitivity
        if label is not None and label not in self.around.labels:
            self._problem(("sensitivity",), not_one_of(label, "a label of sensitivity:", self.around.labels))
        return label

    def _tier(self, name: str | None, *below: str) -> int | None:
        if name is None:
            return None
        if name not in self.around.tiers:
            self._problem(below, not_one_of(name, "a tier", self.around.tiers))
            return None
        return self.around.tiers.index(name)

    def _tier_max(self) -> int | None:
        highest = self._tier(self.row.tier.max, "tier", "max")
        lowest = self.row.tier.min
        if highest is not None and lowest in self.around.tiers and self.around.tiers.index(lowest) > highest:
            self._problem(("tier", "max"), f'"{self.row.tier.max}" is below min, "{lowest}"')
        return highest

    def _baseline(self) -> str | None:
        """Any endpoint that has a price will do: what we save against need not be in use here."""
        baseline = self.row.baseline
        if baseline is None or baseline in self.around.offer.endpoints:
            return baseline
        catalog = self.around.known.models
        if baseline in catalog:
            self.around.offer.catalog_prices[baseline] = catalog[baseline].price
        else:
            self._problem(("baseline",), not_one_of(baseline, "an endpoint", [*self.around.offer.endpoints, *catalog]))
        return baseline

    def _split(self, arms: list[Arm]) -> tuple[Variant, ...]:
        names = [arm.name for arm in arms]
        for index, name in enumerate(names):
            if name in names[:index]:
                self._problem(("split", index, "name"), f'"{name}" is the name of an earlier arm')
        return tuple(
            Variant(arm.name, arm.weight, self._preferred(arm.prefer or [], ("split", index, "prefer")))
            for index, arm in enumerate(arms)
        )

    def _preferred(self, globs: list[str], below: Path) -> tuple[str, ...]:
        """Endpoint ids the patterns fit, in the order of the patterns."""
        found: dict[str, None] = {}
        for index, (text, pattern) in enumerate(zip(globs, compiled_globs(globs), strict=True)):
            fitting = [name for name in self.around.offer.endpoints if pattern.fullmatch(name)]
            if not fitting:
                self._nothing_named(text, (*below, index), "an endpoint", self.around.offer.endpoints)
            found.update(dict.fromkeys(fitting))
        return tuple(found)

    def _escalate(self) -> Escalate | None:
        row = self.row.strategy.escalate
        if row is None:
            return None
        at = ("strategy", "escalate")
        if row.bad and row.by != "feedback":
            self._problem((*at, "bad"), "needs `by: feedback`")
        for task in row.bad:
            if task not in self.around.tasks:
                self._problem((*at, "bad", task), not_one_of(task, "a task", self.around.tasks))
        return Escalate(row.share, self._tier(row.to, *at, "to") or 0, row.by, dict(row.bad))

    def _evaluate(self, row: EvaluateRow) -> Evaluate:
        against = self._against(row.against)
        if (reason := self._uncompared(against)) is not None:
            self.findings.warn((*self.at, "evaluate"), f"nothing is compared where {reason}")
        if row.judge_model is not None and row.judge != "both":
            self._problem(("evaluate", "judge_model"), "needs `judge: both`; a single judge is named by `judge`")
        one = row.judge not in ("people", "both")
        return Evaluate(
            share=row.share,
            against=against,
            budget_usd_per_day=row.budget_usd_per_day,
            judge="model" if one else "both" if row.judge == "both" else "people",
            judge_model=self._judge(row.judge, "judge", "people", "both")
            if one
            else self._judge(row.judge_model, "judge_model"),
            max_loss=row.max_loss,
            confidence=row.confidence,
            auto=row.auto,
            keep_s=row.keep,
        )

    def _uncompared(self, against: int) -> str | None:
        """Why no request of this route can be drawn, if so."""
        label = self.around.labels.get(self.row.sensitivity or "")
        lowest, highest = self.row.tier.min, self.row.tier.max
        places = {name: place for place, name in enumerate(self.around.tiers)}
        if self.row.model is not None:
            return "`model` says what auto means"
        if label is not None and not label.content_allowed:
            return f"`sensitivity: {label.name}` forbids to keep content"
        if places.get(lowest or "", 0) >= min(against, places.get(highest or "", against)) and (lowest or highest):
            return "`tier` leaves none that has another below it"
        return None

    def _against(self, name: str | None) -> int:
        tiers = self.around.tiers
        tier = len(tiers) - 1 if name is None else self._tier(name, "evaluate", "against")
        if tier == 0:
            at = ("evaluate",) if name is None else ("evaluate", "against")
            self._problem(at, f'"{tiers[0]}" is the lowest tier: there is none below it to compare with')
        return tier or 0

    def _judge(self, name: str | None, key: str, *words: str) -> str | None:
        """A model that can converse. `words` would have been understood as well."""
        if name is None:
            return None
        names, endpoints = self.around.names, self.around.offer.endpoints
        exact = names.endpoint(name)
        ids = names.by_model.get(name, ()) if exact is None else (exact,)
        if not ids:
            self._nothing_named(name, ("evaluate", key), "a model", [*words, *names.by_model, *endpoints])
        elif not any(endpoints[one].operation is Operation.CHAT for one in ids):
            self._problem(("evaluate", key), f'"{name}" cannot judge answers: it is no chat model')
        return name

    def _models(self, given: list[str] | None, key: str) -> tuple[str, ...]:
        names, found = self.around.names, []
        for index, name in enumerate(given or ()):
            if name in names.by_model or names.endpoint(name) is not None:
                found.append(name)
                continue
            below: Path = (key,) if len(given or ()) == 1 else (key, index)
            self._nothing_named(name, below, "a model", [*names.by_model, *self.around.offer.endpoints])
        return tuple(found)

    def _nothing_named(self, name: str, below: Path, what: str, valid: Iterable[str]) -> None:
        """An error; but where the providers follow the keys, what the catalog has may come, and only a warning."""
        catalog = self.around.known.models
        if self.around.automatic and (name in catalog or any(name == row.endpoint.model for row in catalog.values())):
            self.findings.warn((*self.at, *below), f'the provider of "{name}" has no key here; it is passed over')
        else:
            self._problem(below, not_one_of(name, f"{what} here", valid))


def _match(row: MatchRow) -> Match:
    return Match(
        headers=tuple((name.lower(), compiled_alternatives(globs)) for name, globs in (row.header or {}).items()),
        keys=compiled_globs(row.key or ()),
        models=compiled_globs(row.model or ()),
    )
