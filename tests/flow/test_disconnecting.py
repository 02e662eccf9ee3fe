"""A client that leaves cancels the upstream at once, blames nobody, and its row is still written."""

import asyncio
from typing import Any

import pytest

from gateway.flow.ports import ClientGone
from tests.support.builders import START_S, a_provider, a_world
from tests.support.openai_scripts import ROLE, a_stream, an_answer, says
from tests.support.recording_sink import RecordingSink
from tests.support.scripted_upstream import HANG, Script
from tests.support.walking import Walking

pytestmark = pytest.mark.virtual_time


async def left(script: Script, after_s: float, **fields: Any) -> Walking:
    """A request whose client closes its connection after so many seconds."""
    walking = Walking(a_world("alpha/m", "beta/m"), {"alpha": [script], "beta": [an_answer()]})
    asking = asyncio.ensure_future(walking.ask("x" * 400, **fields))
    await asyncio.sleep(after_s)
    asking.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asking
    return walking


def assert_cancelled(walking: Walking, at_s: float) -> None:
    assert walking.upstream.tried == ["alpha/m"]
    assert walking.upstream.calls[0].aborted_s == START_S + at_s
    row = walking.row
    assert (row["outcome"], row["status"], row["error"]) == ("cancelled", 499, "the client left")
    assert walking.outcomes == [("alpha/m", "cancelled")]
    assert walking.book.verdict("alpha/m", START_S + at_s).badness == 0
    assert walking.walk.parts.lines["alpha"].load.attempts == 0


@pytest.mark.case("K1")
async def test_leaving_a_whole_answer_closes_the_upstream_and_is_no_failure_of_it() -> None:
    assert_cancelled(await left([20.0, *an_answer()], 1.0), 1.0)


@pytest.mark.case("K2")
@pytest.mark.parametrize("script", [[HANG], [ROLE, HANG]])
async def test_leaving_before_the_first_token_closes_the_upstream(script: Script) -> None:
    assert_cancelled(await left(script, 1.0, stream=True), 1.0)


@pytest.mark.case("K3")
async def test_leaving_in_mid_stream_closes_the_upstream_and_records_what_was_seen() -> None:
    walking = await left([ROLE, *[says("four"), 0.2] * 100], 0.5, stream=True)
    assert_cancelled(walking, 0.5)
    assert walking.row["usage"] == {
        "input": 104, "cached_input": 0, "cache_write": 0, "output": 3, "reasoning": 0, "estimated": True,
    }  # fmt: skip


@pytest.mark.case("D5")
async def test_a_stream_left_after_six_chunks_costs_its_prompt_and_what_was_seen() -> None:
    walking = Walking(a_world("alpha/m"), {"alpha": [[*[says("four"), 0.1] * 100]]})
    with pytest.raises(ClientGone):
        await walking.ask("x" * 400, stream=True, sink=RecordingSink(leave_after=6))
    assert len(walking.decisions) == 1
    row = walking.row
    assert (row["outcome"], row["usage"]["output"], row["usage"]["estimated"]) == ("cancelled", 7, True)
    assert row["cost_usd"] == pytest.approx((104 * 1.0 + 7 * 4.0) / 1e6)
    assert walking.upstream.calls[0].aborted_s is not None


@pytest.mark.case("K4")
@pytest.mark.parametrize(("asked", "recorded"), [({"max_tokens": 900}, 900), ({}, 16_000)])
async def test_where_an_answer_is_billed_to_its_end_the_most_it_can_cost_is_recorded(
    asked: dict[str, int], recorded: int
) -> None:
    provider = a_provider("alpha", cancellable=False)
    script = [[*[says("four"), 0.1] * 100]]
    walking = Walking(a_world("alpha/m", providers=[provider]), {"alpha": script})
    with pytest.raises(ClientGone):
        await walking.ask("x" * 400, stream=True, sink=RecordingSink(leave_after=6), **asked)
    assert (walking.row["usage"]["output"], walking.row["usage"]["estimated"]) == (recorded, True)


async def test_the_providers_own_count_is_kept_where_it_came_before_the_client_left() -> None:
    script = [*a_stream("Hello", usage={"prompt_tokens": 50, "completion_tokens": 9, "total_tokens": 59})[:-1], HANG]
    walking = await left(script, 5.0, stream=True)
    assert (walking.row["usage"]["input"], walking.row["usage"]["estimated"]) == (50, False)


async def test_leaving_between_two_attempts_is_recorded_with_both() -> None:
    walking = Walking(a_world("alpha/m", "beta/m"), {"alpha": [[HANG]], "beta": [[HANG]]})
    asking = asyncio.ensure_future(walking.ask(stream=True))
    await asyncio.sleep(30)
    asking.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asking
    assert walking.outcomes == [("alpha/m", "first_token_timeout"), ("beta/m", "cancelled")]
