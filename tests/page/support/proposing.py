"""A real monitor alone, whose store and configuration give reason for two proposals: e-mails may go a tier lower, and
a route's certificates wait for a person."""

import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from msgspec.structs import replace

from monitor.evaluation.pairs import Judged
from monitor.evaluation.store import Store
from tests.page.support.certificates import add_pair, like
from tests.support.certifying import a_log
from tests.support.running_monitor import environ, on_its_port

TEXT = """\
# Who calls, what they may see, what it may cost. Reviewed with support, 12 November.
providers:
  lab:
    api: openai
    base_url: http://127.0.0.1:9/v1
    key: {none: true}
    probe: {by: none}
    models:
      - {id: open-8b, tier: small, context: 32768, max_output: 4096}
      - {id: open-70b, tier: medium, context: 131072, max_output: 8192}
      - {id: pro-1, tier: large, context: 200000, max_output: 16384}

classify:
  task_tiers:
    email: large   # to be <b>sure</b>
    code: large

routes:
  - name: support-bot
    match: {header: {x-team: support}}
    evaluate:
      share: 0.1
      against: large
      max_loss: 0.05
      confidence: 0.9
      auto: false   # until somebody has looked
  - name: coding
    match: {header: {x-team: dev}}
  - name: default
    evaluate: {share: 0.1, against: large, max_loss: 0.05, confidence: 0.9}
"""


@asynccontextmanager
async def proposing(folder: Path) -> AsyncIterator[str]:
    """Its URL."""
    (folder / "state").mkdir()
    (folder / "pointsman.yaml").write_text(TEXT)
    _seed(folder / "state" / "evaluations.sqlite")
    async with on_its_port(environ(folder, POINTSMAN_GATEWAYS="", POINTSMAN_KUBERNETES="off")) as (_, session):
        yield str(session._base_url)


def _seed(database: Path) -> None:
    store = Store.open(f"sqlite:///{database}")
    pairs = [*_pairs("default", "email", 412, 0.0), *_pairs("support-bot", "summarization", 160, 0.02)]
    add_pair(store, pairs[0])
    head, row = store.export()
    store.import_([head, *(_of(like(row, one), one) for one in pairs[1:])])
    store.close()


def _pairs(route: str, task: str, count: int, lost: float) -> list[Judged]:
    log = a_log(1, count, lambda _: lost, task)
    later_s = time.time() - log[-1].judged_s - 60
    return [_placed(one, route, later_s) for one in log]


def _placed(one: Judged, route: str, later_s: float) -> Judged:
    facts = one.facts
    name = f"{route[0]}{facts.decision[:8]}"
    moved = replace(facts, decision=name, route=route, model="rules", time_s=facts.time_s + later_s)
    return replace(one, facts=moved, judged_s=one.judged_s + later_s)


def _of(row: Mapping[str, Any], one: Judged) -> dict[str, Any]:
    return {**row, "route": one.facts.route, "step": one.facts.step}
