"""Evaluation in a real monitor, with simulated vendors: three surfaces, one judge, and bills to the last digit."""

import json
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest
import yaml

from gateway.core.evaluation import PATH, Half, encode_halves
from gateway.edge.shared_token import HEADER, bearer
from loadtest.control import RunningVendor, start_vendor
from loadtest.vendors import provider_rows, vendor_named
from monitor.evaluation.pairs import By
from monitor.evaluation.store import Store
from tests.support.builders import a_body
from tests.support.evaluating import a_half, text_of
from tests.support.openai_scripts import a_stream
from tests.support.responses import message, response
from tests.support.running_monitor import TOKEN, environ, on_its_port, until

VENDORS = ("sim-fast", "sim-claude", "sim-pro")
JUDGE = "sim-pro/pro-1"
CLAUDE: dict[str, Any] = {
    "id": "m", "type": "message", "role": "assistant", "model": "c", "stop_reason": "end_turn",
    "content": [{"type": "text", "text": "Four."}], "usage": {"input_tokens": 1, "output_tokens": 1},
}  # fmt: skip


@asynccontextmanager
async def vendors() -> AsyncIterator[Mapping[str, RunningVendor]]:
    async with AsyncExitStack() as stack:
        running = {}
        for name in VENDORS:
            running[name] = await start_vendor(vendor_named(name), now_s=lambda: 0.0)
            stack.push_async_callback(running[name].stop)
        yield running


def config(running: Mapping[str, RunningVendor]) -> str:
    providers = provider_rows({name: vendor.base_url for name, vendor in running.items()})
    evaluate = {"against": "medium", "judge": "pro-1", "budget_usd_per_day": 1}
    return yaml.safe_dump({"providers": providers, "routes": [{"name": "default", "evaluate": evaluate}]})


def drawn(now_s: float) -> list[Half]:
    """By three surfaces; the last one's second answer is asked across wire formats."""
    plain = {"time_s": now_s, "judges": (JUDGE,), "endpoint": "sim-fast/open-8b", "lower": True}
    claude = {"surface": "messages", "request": a_body("2 + 2?", max_tokens=200), "answer": json.dumps(CLAUDE)}
    replied = {"model": "auto", "input": "2 + 2?"}, json.dumps(response(message("Four.")))
    responses = {"surface": "responses", "request": replied[0], "answer": replied[1]}
    return [
        a_half(1, **plain, answer=text_of(a_stream("Fo", "ur.")), others=("sim-fast/open-70b",)),
        a_half(2, **plain, **claude, others=("sim-claude/claude-sim-mid",)),
        a_half(3, **plain, **responses, others=("sim-claude/claude-sim-mid",)),
    ]


def today() -> date:
    return datetime.now(UTC).date()


async def test_asks_judges_and_pays_what_the_vendors_bill(tmp_path: Path) -> None:
    async with vendors() as running:
        (tmp_path / "pointsman.yaml").write_text(config(running))
        begun = today()
        async with on_its_port(environ(tmp_path)) as (process, session):
            halves = encode_halves(drawn(datetime.now(UTC).timestamp()))

            async def answered(token: str) -> int:
                headers = {"Content-Type": "application/json", HEADER: bearer(token)}
                async with session.post(PATH, data=halves, headers=headers) as answer:
                    return answer.status

            async def handed_over() -> bool:
                return await answered(TOKEN) == 200

            async def all_judged() -> bool:
                return len(store.judged()) == 3

            assert await answered("t-forged") == 401
            await until(handed_over)
            store = Store.open(str(tmp_path / "state" / "evaluations.sqlite"))
            await until(all_judged)
            async with session.get("/metrics") as answer:
                metrics = await answer.text()
            process.terminate()
            _, log = await process.communicate()
        bill = sum(float(vendor.server.bill.usd) for vendor in running.values())

    assert process.returncode == 0
    assert b"Traceback" not in log
    assert TOKEN.encode() not in log
    assert b"t-forged" not in log
    assert 'pointsman_evaluation_halves_total{result="unauthorized"} 1.0' in metrics
    assert 'pointsman_evaluation_halves_total{result="new"} 3.0' in metrics
    assert 'pointsman_evaluation_work_total{result="answered"} 3.0' in metrics
    if today() != begun:
        pytest.skip("midnight (UTC) fell into this test")
    assert [one.by for one in store.judged()] == [By.MODEL] * 3
    assert store.spent_usd("default", begun) == pytest.approx(bill, abs=1e-12)
    assert bill > 0
    store.close()
