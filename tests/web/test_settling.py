"""Records are made together, once the answers of a turn of the loop are on their way; none harms another."""

from dataclasses import replace

import pytest

from gateway.core.decision import Decision
from gateway.flow.run import Run
from gateway.flow.settle import Settler
from tests.support.running_gateway import RunningGateway, gateway_with


class Unable(Settler):
    """Makes no record."""

    def settle(self, run: Run, now_s: float) -> Decision:
        raise ZeroDivisionError(f"{run.request.id} at {now_s}")


async def two_runs(running: RunningGateway, monkeypatch: pytest.MonkeyPatch) -> list[Run]:
    """Requests that were answered, and whose records are still to be made."""
    runs: list[Run] = []
    with monkeypatch.context() as patch:
        patch.setattr(running.gateway.walk, "record", lambda run, _: runs.append(run))
        for _ in range(2):
            async with running.chat() as response:
                await response.read()
    return runs


@pytest.mark.interpreted
async def test_a_record_that_cannot_be_made_takes_no_other_with_it(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    async with gateway_with("sim-cheap") as running:
        walk = running.gateway.walk
        broken, whole = await two_runs(running, monkeypatch)
        parts = walk.parts
        walk.parts = replace(parts, settler=Unable({}, ()))
        walk.record(broken)
        walk.parts = parts
        walk.record(whole)
        assert running.rows.kept == []  # the answers have the turn to themselves
        row = await running.row()
    assert ([row["id"]], [record.message for record in caplog.records]) == (
        [whole.request.id],
        [f"the record of request {broken.request.id} could not be made"],
    )


@pytest.mark.interpreted
async def test_a_gateway_that_ends_makes_the_records_that_are_due(monkeypatch: pytest.MonkeyPatch) -> None:
    async with gateway_with("sim-cheap") as running:
        runs = await two_runs(running, monkeypatch)
        for run in runs:
            running.gateway.walk.record(run)
        running.gateway.settle()
        assert [row["id"] for row in running.rows.kept] == [run.request.id for run in runs]
