"""A log of made-up decisions, as long as is wanted: `python -m loadtest.decision_log --requests 1000000 FILE`.

Each request is planned for real in the configuration given, so that a replay under the same one finds the same; only
the answers are drawn. Seeded: the same options make the same file.
"""

import argparse
import os
import random
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec

from gateway.cli.replay import world_of
from gateway.config.here import known_here, load_here
from gateway.core.ask import Ask, Surface
from gateway.core.decision import AttemptRow, Considered, Decision, Outcome
from gateway.core.extras import Extras
from gateway.core.plan import Health
from gateway.core.pricing import known_cost_usd
from gateway.core.record import Recorder, feedback
from gateway.core.refusal import Refused
from gateway.core.usage import Usage
from gateway.flow.consider import Planner
from gateway.flow.stage import Client, Moment
from gateway.formats.registry import surface

START_S = 1_795_564_800.0  # 2026-11-25T00:00:00Z
EVERY_S = 0.05
ASKS = 4_000  # different requests; each comes again and again
FAILED, JUDGED = 0.02, 0.03  # shares
TEXTS = (
    "Write a Python function that merges two sorted lists. ", "Summarize this text for a newspaper: ",
    "Translate into German: the train is late. ", "Prove that there are infinitely many primes. ",
    "What is the capital of Peru? ", "Draft a short e-mail that declines an invitation. ",
    "Tell me a story about rain. ",
)  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description="A log of made-up decisions.")
    parser.add_argument("file", type=Path)
    parser.add_argument("--requests", type=int, default=1_000_000)
    parser.add_argument("--config", type=Path)
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    today = datetime.fromtimestamp(START_S, UTC).date()
    compiled = load_here(given.config, known_here(None, today, os.environ))
    with given.file.open("wb") as file:
        for number, line in enumerate(lines(Maker(Planner(world_of(compiled), _well, frozenset), given.seed))):
            if number >= given.requests:
                break
            file.write(line)


def _well(_: float) -> Health:
    return Health()


class Maker:
    """Draws requests and their answers."""

    def __init__(self, planner: Planner, seed: int) -> None:
        self._planner = planner
        self._rng = random.Random(seed)
        self._asks = [self._ask() for _ in range(ASKS)]

    def _ask(self) -> tuple[Ask, Extras]:
        rng = self._rng
        text = rng.choice(TEXTS) + "word " * int(rng.lognormvariate(5.5, 1.3))
        body: dict[str, Any] = {"model": "auto", "messages": [{"role": "user", "content": text}]}
        if rng.random() < 0.3:
            body["max_tokens"] = rng.choice((64, 256, 1_024))
        if rng.random() < 0.2:
            body["tools"] = [{"type": "function", "function": {"name": "look", "parameters": {"type": "object"}}}]
        labels = ("pii",) if rng.random() < 0.1 and "pii" in self._planner.world.policy.labels else ()
        return surface(Surface.CHAT).parse(body, len(text) + 200, {}), Extras(sensitivity=labels)

    def decision(self, number: int) -> Decision | None:
        """The next one; None where there is no plan."""
        ask, extras = self._rng.choice(self._asks)
        at_s = START_S + number * EVERY_S
        try:
            considered = self._planner.consider(ask, extras, Client(None, {}), Moment(at_s, 0.0), found=False)
        except Refused:
            return None
        return self._answered(f"{number:016x}", ask, considered, at_s)

    def _answered(self, name: str, ask: Ask, considered: Considered, at_s: float) -> Decision:
        rng, steps = self._rng, considered.steps
        asked = max(1, int(considered.estimated_input * rng.uniform(0.8, 1.3)))
        usage = Usage(input=asked, cached_input=int(asked * rng.choice((0, 0, 0.6))), output=rng.randint(1, 900))
        rows = []
        at = 1 if len(steps) > 1 and rng.random() < FAILED else 0
        if at:
            rows.append(AttemptRow(steps[0].endpoint.id, 0.0, None, 90.0, "overloaded", 503, "503", 0.0))
        answered = steps[at].endpoint.id
        prices, tiers = self._planner.world.prices, self._planner.world.policy.tiers
        price, base = prices.get(answered), prices.get(considered.baseline or "")
        usd = None if price is None else known_cost_usd(price, usage, at_s)
        base_usd = None if base is None else known_cost_usd(base, usage, at_s)
        ttft_ms = rng.lognormvariate(6.0, 0.4)
        rows.append(AttemptRow(answered, 0.0, ttft_ms, ttft_ms * 4, "ok", 200, None, usd))
        return Decision(
            name, at_s, ask.surface.value, ask.model, ask.stream, None, (), considered, tiers,
            "0" * 16, ask.survey.chars, tuple(rows), answered, None, 200, Outcome.OK, None, usage, usd, base_usd,
            None if usd is None or base_usd is None else base_usd - usd, ttft_ms * 4, ttft_ms, "0" * 16,
        )  # fmt: skip

    def score(self) -> float | None:
        """What somebody says of the answer, where anybody does."""
        return self._rng.choice((1.0, 1.0, 1.0, -1.0)) if self._rng.random() < JUDGED else None


def lines(maker: Maker) -> Iterator[bytes]:
    """Records, each with its feedback, without an end."""
    recorder, number = Recorder(), 0
    while True:
        decision = maker.decision(number)
        number += 1
        if decision is None:
            continue
        line = msgspec.json.encode(recorder.record(decision)) + b"\n"
        score = maker.score()
        if score is not None:
            line += msgspec.json.encode(feedback(decision.id, score, None, decision.time_s + 60)) + b"\n"
        yield line


if __name__ == "__main__":
    main()
