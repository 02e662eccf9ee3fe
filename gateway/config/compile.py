"""The file's model and the packaged catalog, compiled to what routing reads.

Owns the checks that need both: whether names exist, whether what is asked can be given. It reports everything it finds,
then either returns a whole `Compiled` or raises; there is no half-accepted configuration.
"""

import re
import warnings
from dataclasses import dataclass
from datetime import date

from gateway.config.defaults import LABELS, TASK_TIERS
from gateway.config.known import Known
from gateway.config.model import File, LabelRow, RequireRow, TaskRule
from gateway.config.problems import Findings, Path, Problem, not_one_of
from gateway.config.providers import offer
from gateway.config.routes import Around, routes_of
from gateway.core.breaker import BreakerRules
from gateway.core.classify import UserRule
from gateway.core.named import Names
from gateway.core.policy import ClientKey, Label, Policy, Requirement, Route
from gateway.core.prices import PriceBook, price_book
from gateway.core.sensitivity import missing
from gateway.core.user_regex import check_user_regex


@dataclass(frozen=True, slots=True)
class Compiled:
    """One accepted configuration. `warnings` are for the operator; nothing depends on them."""

    policy: Policy
    price_book: PriceBook  # the catalog's, with the file's over them; live ones go between
    breaker_rules: BreakerRules
    warnings: tuple[Problem, ...] = ()


def compile_file(file: File, known: Known, findings: Findings, generation: str) -> Compiled:
    """Raises `ConfigError` with every problem in `findings`, those found earlier included."""
    tiers = _tiers(file, findings)
    offered = offer(file, known, findings)
    labels = _labels(file)
    task_tiers = _task_tiers(file, tiers, findings)
    around = Around(tiers, labels, task_tiers, offered, Names.of(offered.catalog), known, file.providers is None)
    routes = routes_of(file, around, findings)
    policy = Policy(
        tiers=tiers,
        routes=routes,
        labels=labels,
        tasks=tuple(task_tiers),
        task_tiers=task_tiers,
        rules=_rules(file.classify.rules, task_tiers, findings),
        catalog=offered.catalog,
        keys=_keys(file, findings),
        generation=generation,
        classify_by=file.classify.by,
        compat=frozenset(file.compat or ()),
    )
    if file.breaker.open_for > file.breaker.open_for_max:
        findings.problem(("breaker", "open_for"), "is longer than open_for_max")
    findings.refuse_if_any()
    _warn_of_dead_ends(policy, file, findings)
    book = price_book(offered.catalog_prices, offered.config_prices, known.as_of)
    return Compiled(policy, book, _breaker(file), tuple(findings.warnings))


def _tiers(file: File, findings: Findings) -> tuple[str, ...]:
    for index, name in enumerate(file.tiers):
        if name in file.tiers[:index]:
            findings.problem(("tiers", index), f'"{name}" is given twice')
    return tuple(file.tiers)


def _labels(file: File) -> dict[str, Label]:
    if file.sensitivity is None:
        return {label.name: label for label in LABELS}
    return {name: _label(name, row) for name, row in file.sensitivity.items()}


def _label(name: str, row: LabelRow) -> Label:
    require = row.require or RequireRow()
    requirement = Requirement(
        trains_on_data=require.trains_on_data,
        retention_days=require.retention_days,
        regions=frozenset(require.regions) if require.regions else None,
        certifications=frozenset(require.certifications) if require.certifications else None,
    )
    allowed = row.require is None if row.content is None else row.content == "allowed"
    return Label(name, requirement, row.detect, allowed)


def _task_tiers(file: File, tiers: tuple[str, ...], findings: Findings) -> dict[str, int]:
    found: dict[str, int] = {}
    for task, tier in {**TASK_TIERS, **file.classify.task_tiers}.items():
        if tier in tiers:
            found[task] = tiers.index(tier)
            continue
        found[task] = 0
        at: Path = ("classify", "task_tiers", task)
        if task in file.classify.task_tiers:
            findings.problem(at, not_one_of(tier, "a tier", tiers))
        else:
            findings.problem(at, f'is missing: its default, "{tier}", is not among tiers: {", ".join(tiers)}')
    return found


def _rules(rows: list[TaskRule], tasks: dict[str, int], findings: Findings) -> tuple[UserRule, ...]:
    rules = []
    for index, row in enumerate(rows):
        at: Path = ("classify", "rules", index)
        if row.task not in tasks:
            words = not_one_of(row.task, "a task", tasks)
            findings.problem((*at, "task"), f"{words}; a new task is made by giving it a tier in classify.task_tiers")
        for number, phrase in enumerate(row.when.phrases or ()):
            if not phrase.strip():
                findings.problem((*at, "when", "phrases", number), "is blank")
        pattern = _regex(row.when.regex, (*at, "when", "regex"), findings) if row.when.regex else None
        rules.append(UserRule(row.task, pattern, tuple(row.when.phrases or ())))
    return tuple(rules)


def _regex(text: str, at: Path, findings: Findings) -> re.Pattern[str] | None:
    with warnings.catch_warnings():  # Python's notes on future syntax are not for operators
        warnings.simplefilter("ignore")
        try:
            refusal = check_user_regex(text)
            if refusal is None:
                return re.compile(text)
        except (RecursionError, OverflowError):
            refusal = "nested too deeply, or with a repeat that is too large"
    findings.problem(at, refusal)
    return None


def _keys(file: File, findings: Findings) -> tuple[ClientKey, ...] | None:
    if file.auth is None:
        return None
    seen: set[bytes] = set()
    keys = []
    for index, row in enumerate(file.auth.keys):
        digest = bytes.fromhex(row.sha256)
        if digest in seen:
            findings.problem(("auth", "keys", index, "sha256"), "is the hash of an earlier key")
        seen.add(digest)
        keys.append(ClientKey(row.id, digest))
    return tuple(keys)


def _breaker(file: File) -> BreakerRules:
    row = file.breaker
    return BreakerRules(
        failures=row.failures,
        window_s=row.window,
        error_rate=row.error_rate,
        min_requests=row.min_requests,
        open_for_s=row.open_for,
        open_for_max_s=row.open_for_max,
        half_open_probes=row.half_open_probes,
    )


def _warn_of_dead_ends(policy: Policy, file: File, findings: Findings) -> None:
    """Legal, and surely not meant: nothing to call, or a route whose label nobody satisfies."""
    if not policy.catalog.endpoints:
        at: Path = ("providers",) if file.providers is not None else ()
        findings.warn(at, "no provider has a key here, so there is no model to route to; set a key or list providers:")
        return
    for index, route in enumerate(policy.routes):
        if route.sensitivity is not None and not _satisfiable(route, policy):
            findings.warn(
                ("routes", index, "sensitivity"),
                f'no provider here guarantees what "{route.sensitivity}" requires: this route refuses every request',
            )


def _satisfiable(route: Route, policy: Policy) -> bool:
    """Whether some provider states enough; whether its facts have expired is the business of the day of the request."""
    require = policy.labels[route.sensitivity or ""].require
    return any(not missing(require, provider.privacy, date.min) for provider in policy.catalog.providers.values())
