"""A Portkey config as a `pointsman.yaml`.

A tree of targets becomes endpoints and one route, whose arms are the ways down the tree with their weights; the
conditions at its root become a route each. Pure: the file and the catalog come in as values.

Source: Portkey's documentation, "Gateway config object", and the JSON schema of its open gateway.
"""

from dataclasses import dataclass, field
from typing import Any

from gateway.config.imports.draft import Draft, Json, entry_id, unused_id
from gateway.config.imports.json_text import read_json_document
from gateway.config.imports.notes import Imported, Notes
from gateway.config.imports.portkey_conditions import Conditions
from gateway.config.imports.portkey_targets import Leaf, Targets, inherited, mode_of, snake
from gateway.config.imports.source_values import Values, mapping, number, sequence, text, whole
from gateway.config.imports.write import written
from gateway.config.known import Known
from gateway.config.problems import Path

HEAD = "Made by `pointsman import portkey`. Where the source has no equivalent here:"
HEAD_WHOLE = "Made by `pointsman import portkey`."
MOST_ARMS = 100  # of a split
MOST_ATTEMPTS = 20
"""Of a request, whatever is asked for."""


def import_portkey(source: bytes, file: str, known: Known) -> Imported:
    """The configuration in `source`.

    Raises:
        ConfigError: it is no JSON object.
    """
    document = read_json_document(source, file)
    notes = Notes(document)
    reader = _Reader(Draft(known), Targets(Values(known, notes)), notes)
    reader.read(document.data)
    found = notes.in_order()
    return Imported(written(reader.draft.config(), HEAD if found else HEAD_WHOLE, found), found)


@dataclass(frozen=True, slots=True)
class Arm:
    """One way down the tree: its share, and the targets in the order in which they are tried."""

    weight: float
    leaves: tuple[Leaf, ...]


@dataclass(slots=True)
class _Reader:
    draft: Draft
    targets: Targets
    notes: Notes
    names: set[str] = field(default_factory=lambda: {"default"})

    def read(self, config: dict[str, Any]) -> None:
        self._breaker(config)
        if mode_of(config) == "conditional":
            self._conditional(config)
        else:
            self._route("default", {}, config, (), {})
        self.draft.rest["compat"] = ["portkey"]

    def _conditional(self, config: dict[str, Any]) -> None:
        """A route for each condition, in their order, and the default behind them."""
        strategy, above = mapping(config.get("strategy")), inherited(config, {})
        self.targets.check(config, (), self.notes)
        by_name = {text(mapping(one).get("name")): index for index, one in enumerate(sequence(config.get("targets")))}
        conditions = Conditions(self.notes)
        for index, one in enumerate(sequence(strategy.get("conditions"))):
            at: Path = ("strategy", "conditions", index)
            condition = mapping(one)
            place = by_name.get(text(condition.get("then")))
            if place is None:
                self.notes.add((*at, "then"), "is not the name of a target: the condition was left out")
                continue
            for match in conditions.matches(condition.get("query"), (*at, "query")):
                name = unused_id(entry_id(str(condition["then"])), self.names)
                self._route(name, {"match": match}, self._target(config, place), ("targets", place), above)
        default = by_name.get(text(strategy.get("default")))
        if default is None:
            words = "has no default: what fits no condition is routed as the name of its model says"
            self.notes.add(("strategy",), words)
        else:
            self._route("default", {}, self._target(config, default), ("targets", default), above)

    def _target(self, config: dict[str, Any], place: int) -> dict[str, Any]:
        return mapping(sequence(config["targets"])[place])

    def _route(self, name: str, head: dict[str, Json], node: dict[str, Any], at: Path, above: dict[str, Any]) -> None:
        arms = [arm for arm in self._arms(node, at, above) if arm.leaves]
        route: dict[str, Json] = {"name": name, **head}
        leaves = tuple(dict.fromkeys(leaf for arm in arms for leaf in arm.leaves))
        if len(leaves) > MOST_ARMS or len(arms) > MOST_ARMS:
            self.notes.add(at or ("targets",), f"only the first {MOST_ARMS} of these targets were taken over")
        arms, leaves = arms[:MOST_ARMS], leaves[:MOST_ARMS]
        pinned = [leaf.endpoint for leaf in leaves if leaf.endpoint is not None]
        if leaves and len(pinned) == len(leaves):
            route |= {"named_model": "any", "model": pinned}
        elif pinned:
            self._mixed(arms, leaves, at)
            route["fallbacks"] = pinned
        retries = sum(leaf.retries or 0 for leaf in leaves)
        if any(leaf.retries is not None for leaf in leaves):
            route["limits"] = {"attempts": min(MOST_ATTEMPTS, len(leaves) + retries)}
        split = self._split(arms)
        if len(leaves) > 1 and split:
            route["split"] = split
        self.draft.routes.append(route)

    def _mixed(self, arms: list[Arm], leaves: tuple[Leaf, ...], at: Path) -> None:
        """Targets with a model of their own beside some that take the client's: those come behind."""
        first = [leaf.endpoint is not None for leaf in arms[0].leaves]
        if len(arms) > 1 or first != sorted(first):
            words = "targets that say a model come behind those that take the client's, whatever their place and weight"
            self.notes.add(at or ("targets",), words)

    def _split(self, arms: list[Arm]) -> list[dict[str, Json]]:
        names: set[str] = set()
        total = sum(arm.weight for arm in arms)
        rows = []
        for arm in arms:
            prefer = list(dict.fromkeys(leaf.prefer for leaf in arm.leaves))[:MOST_ARMS]
            weight = float(f"{arm.weight / total:.6g}") if len(arms) > 1 and total else 1
            row = {"name": unused_id(entry_id(arm.leaves[0].name), names), "weight": weight, "prefer": prefer}
            if weight > 0:
                rows.append(row)
        return rows

    def _arms(self, node: dict[str, Any], at: Path, above: dict[str, Any]) -> list[Arm]:
        """Every way down, with the share of requests that take it."""
        self.targets.check(node, at, self.notes)
        here = inherited(node, above)
        children = sequence(node.get("targets"))
        if not children:
            leaf = self.targets.leaf(node, at, here, self.draft)
            return [Arm(1.0, (leaf,) if leaf is not None else ())]
        mode = mode_of(node)
        if mode == "conditional":
            words = "conditions within other targets have no equivalent: the first target serves"
            self.notes.add((*at, "strategy"), words)
        if mode in ("single", "conditional") or mode is None:
            children = children[:1]
        below = [
            (mapping(child), self._arms(mapping(child), (*at, "targets", index), here))
            for index, child in enumerate(children)
        ]
        return _balanced(below) if mode == "loadbalance" else _in_turn([arms for _, arms in below])

    def _breaker(self, config: dict[str, Any]) -> None:
        rules = snake(mapping(snake(config).get("cb_config")))
        breaker: dict[str, Json] = {}
        for name, ours in (("failure_threshold", "failures"), ("minimum_requests", "min_requests")):
            value = whole(rules.get(name))
            if value is not None and 0 < value <= 1_000_000:
                breaker[ours] = value
        share, cooldown = number(rules.get("failure_threshold_percentage")), number(rules.get("cooldown_interval"))
        if share is not None and 0 < share <= 100:
            breaker["error_rate"] = share / 100
        if cooldown is not None and 0 < cooldown <= 300_000:
            breaker["open_for"] = f"{max(1, round(cooldown))}ms"
        if breaker:
            self.draft.rest["breaker"] = breaker


def _balanced(below: list[tuple[dict[str, Any], list[Arm]]]) -> list[Arm]:
    """Each child has its weight; where the one that is drawn fails, the others still serve."""
    weights = [max(0.0, number(child.get("weight", 1)) or 0.0) for child, _ in below]
    total = sum(weights) or 1.0
    return [
        Arm(weight / total * arm.weight, arm.leaves)
        for weight, (_, arms) in zip(weights, below, strict=True)
        for arm in arms
        if weight > 0
    ]


def _in_turn(below: list[list[Arm]]) -> list[Arm]:
    """One child after the other: each way down the first, then each of the second, and so on."""
    arms = [Arm(1.0, ())]
    for children in below:
        if len(arms) * len(children) > MOST_ARMS:  # more ways than arms: the children of this one in their order
            children = [Arm(1.0, tuple(leaf for child in children for leaf in child.leaves))]
        arms = [Arm(arm.weight * child.weight, (*arm.leaves, *child.leaves)) for arm in arms for child in children]
    return arms
