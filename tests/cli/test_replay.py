"""`pointsman replay`: a log replayed under its own configuration gives back its own decisions; another one shows."""

import asyncio
import random
import sys
from contextlib import closing
from pathlib import Path
from subprocess import PIPE, Popen
from typing import Any

import orjson
import pytest

from gateway.cli.decision_sources import NoRecords
from gateway.cli.main import main
from gateway.cli.replay import replayed
from gateway.cli.replay_log import RecordTable
from gateway.core.catalog import Privacy
from gateway.core.policy import Label, Requirement, Route, Variant
from gateway.core.pricing import Override, Price, Rates, Window
from gateway.core.record import feedback, record
from gateway.core.replay_sums import Sums
from gateway.flow.world import World
from tests.support.builders import EPOCH_S, TASK_TIERS, a_price, a_provider, a_world, an_endpoint
from tests.support.logs import a_row, written
from tests.support.openai_scripts import a_stream, an_answer, an_error
from tests.support.scripted_upstream import Script
from tests.support.walking import Walking

pytest.importorskip("duckdb", reason="DuckDB is not installed")
pytestmark = pytest.mark.virtual_time

NAMES = ("alpha", "beta", "gamma", "delta")
TEXTS = (
    "Hello there", "Write a Python function that sorts a list", "Summarize this text: " + "word " * 300,
    "Translate into French: good morning", "Prove that the square root of two is irrational", "x " * 9_000,
)  # fmt: skip
LONG = Override(Rates(9.0, 30.0), min_prompt_tokens=2_000)
NIGHT = Override(Rates(0.2, 0.4), window=Window(spans_s=((0, 60_000),)))
TIERED = {**TASK_TIERS, "code": 1, "math": 2, "reasoning": 2, "creative": 1}


def a_mixed_world(**changes: Any) -> World:
    """Four providers, five endpoints, three tiers, prices that change with length and hour."""
    prices: dict[str, Price | None] = {
        "alpha/s": a_price(0.5, cached_input=0.05), "beta/s": a_price(0.52, 1.9), "beta/m": a_price(2.0),
        "gamma/m": Price(Rates(1.5, 9.0, cached_input=0.2), (LONG,)), "delta/l": Price(Rates(6.0, 20.0), (NIGHT,)),
    }  # fmt: skip
    routes = (
        Route("arms", split=(Variant("control", 1), Variant("candidate", 1, prefer=("beta/m",)))),
        Route("default"),
    )
    given = {
        "task_tiers": TIERED, "routes": (routes[1],), "prices": prices,
        "labels": {"pii": Label("pii", Requirement(regions=frozenset({"eu"})))},
        "providers": [a_provider("gamma", privacy=_european()), a_provider("delta", privacy=_european())],
    }  # fmt: skip
    return a_world(
        an_endpoint("alpha/s", tier=0, caps=frozenset()), an_endpoint("beta/s", tier=0, base_model="s"),
        an_endpoint("beta/m", context=4_000), an_endpoint("gamma/m"), an_endpoint("delta/l", tier=2),
        **{**given, **changes},
    )  # fmt: skip


def _european() -> Privacy:
    return Privacy(regions=frozenset({"eu"}))


def usage(rng: random.Random) -> dict[str, Any]:
    asked, cached, said = rng.randint(1, 5_000), rng.random(), rng.randint(0, 900)
    return {
        "prompt_tokens": asked, "completion_tokens": said, "total_tokens": asked + said,
        "prompt_tokens_details": {"cached_tokens": int(asked * cached * rng.choice((0, 1)))},
        "completion_tokens_details": {"reasoning_tokens": rng.choice((0, said // 2))},
    }  # fmt: skip


def scripts(rng: random.Random, stream: bool, failing: float) -> Script:
    if rng.random() < failing:
        return an_error(rng.choice((500, 503, 429)))
    return a_stream("Hel", "lo", usage=usage(rng)) if stream else an_answer(usage=usage(rng))


async def a_log(world: World, seed: int, requests: int, failing: float = 0.15) -> list[dict[str, Any]]:
    """Records of random requests, each walked for real."""
    rng, rows = random.Random(seed), []
    walking = Walking(world, {})
    walking.upstream._scripts = {name: [an_answer(usage=usage(rng))] for name in NAMES}
    for number, text in enumerate(TEXTS):  # one of each that asks for nothing
        await walking.ask(text)
        rows.append({**record(walking.decisions[-1]), "id": f"plain{number}"})
    for number in range(requests):
        fields: dict[str, Any] = {"model": rng.choice(("auto", "auto", "auto", "s", "m", "beta/m", "tier:medium"))}
        if rng.random() < 0.3:
            fields["max_tokens"] = rng.choice((5, 64, 1_000))
        if rng.random() < 0.2:
            fields["tools"] = [{"type": "function", "function": {"name": "look", "parameters": {"type": "object"}}}]
        if rng.random() < 0.2:
            fields["session_id"] = f"s{rng.randint(0, 9)}"
        if rng.random() < 0.15:
            fields["provider"] = {"ignore": [rng.choice(NAMES)]}
        headers = {}
        if rng.random() < 0.2:
            headers["x-pointsman-tier"] = rng.choice(("small", "medium", "large"))
        if rng.random() < 0.2 and world.policy.labels:
            headers["x-pointsman-sensitivity"] = "pii"
        fields["stream"] = rng.random() < 0.5
        walking.upstream._scripts = {name: [scripts(rng, fields["stream"], failing)] for name in NAMES}
        await walking.ask(rng.choice(TEXTS) + str(rng.randint(0, 50)), headers=headers, **fields)
        await asyncio.sleep(rng.choice((0, 0, 5, 40, 4_000)))
        rows.append({**record(walking.decisions[-1]), "id": f"{number:016x}"})
    return rows


def sums_of(path: Path | str, world: World, health: str = "recorded") -> Sums:
    whole = Sums()
    with closing(RecordTable([str(path)], lambda _: None)) as table:
        for one in replayed(table, world, None, health).values():
            whole.add(one)
    return whole


@pytest.mark.parametrize("seed", range(12))
async def test_a_log_under_its_own_configuration_gives_back_its_own_decisions(tmp_path: Path, seed: int) -> None:
    world = a_mixed_world()
    rows = await a_log(world, seed, 120)
    whole = sums_of(written(tmp_path / "log.jsonl", rows), world)
    answered = [row for row in rows if row["endpoint"] is not None]
    assert whole.requests == len(rows)
    assert whole.answered == whole.priced == len(answered)
    assert dict(whole.moves) == {}
    assert whole.recorded_usd == pytest.approx(sum(row["attempts"][-1]["cost_usd"] for row in answered), abs=1e-12)
    saved = sum(row["baseline_cost_usd"] - row["attempts"][-1]["cost_usd"] for row in answered)
    assert whole.saved_usd == pytest.approx(saved, abs=1e-9 * len(answered))
    assert whole.replayed_usd == pytest.approx(whole.recorded_usd, abs=1e-9 * len(answered))


async def test_another_configuration_moves_requests_and_says_what_they_would_cost(tmp_path: Path) -> None:
    rows = await a_log(a_mixed_world(), 1, 60, failing=0)
    dearer = a_mixed_world(task_tiers={**TASK_TIERS, "chat": 2})
    whole = sums_of(written(tmp_path / "log.jsonl.gz", rows), dearer)
    assert whole.moved > 5
    assert whole.replayed_usd != pytest.approx(whole.recorded_usd)
    assert {now for _, now in whole.moves} >= {"delta/l"}


async def test_where_nobody_is_ill_failed_requests_go_back_to_the_first_of_their_plan(tmp_path: Path) -> None:
    rows = await a_log(a_mixed_world(), 2, 60, failing=0.4)
    failed_over = [row for row in rows if row["endpoint"] and row["endpoint"] != row["plan"][0]]
    whole = sums_of(written(tmp_path / "log.jsonl", rows), a_mixed_world(), health="well")
    assert failed_over
    assert whole.moved >= len(failed_over)


async def test_reads_parquet_and_feedback_and_skips_what_is_no_record(tmp_path: Path) -> None:
    import duckdb

    rows = await a_log(a_mixed_world(), 3, 30, failing=0)
    notes = [feedback(row["id"], score, None, EPOCH_S) for row, score in zip(rows, (1.0, 1.0, -1.0), strict=False)]
    lines = written(tmp_path / "log.jsonl", [*notes, *rows])
    with lines.open("ab") as file:
        file.write(b'starting up\n{"level": "info"}\n[1, 2]\n\n{"id": "torn')
    parquet = tmp_path / "log.parquet"
    duckdb.connect().execute(
        f"copy (select * from read_json('{written(tmp_path / 'clean.jsonl', [*notes, *rows])}', "
        f"maximum_depth = -1, union_by_name = true)) to '{parquet}'"
    )
    for path in (lines, parquet):
        whole = sums_of(path, a_mixed_world())
        assert (whole.requests, whole.signals["feedback"], whole.known, whole.good) == (len(rows), 3, 3, 2)
        assert (whole.moved, whole.replayed_usd) == (0, pytest.approx(whole.recorded_usd, abs=1e-9))


CONFIG = """
providers:
  here:
    api: openai
    base_url: http://127.0.0.1:9/v1
    key: {none: true}
    models:
      - {id: s, tier: small, price: {input: 1, output: 4}}
      - {id: l, tier: large, price: {input: 10, output: 40}}
classify: {task_tiers: {chat: small, code: large}}
routes: [{name: default}]
"""


@pytest.fixture
def run(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Any:
    """Runs the command; its exit code, what it printed and what it said of its progress."""
    config = tmp_path / "pointsman.yaml"
    config.write_text(CONFIG)

    def ran(*arguments: str) -> tuple[int, str, str]:
        code = main(["replay", *arguments, "--config", str(config)])
        told = capsys.readouterr()
        return code, told.out, told.err

    return ran


def test_tells_programs_what_would_have_been_chosen(tmp_path: Path, run: Any) -> None:
    refused = {"id": "f", "surface": "chat", "model": "gpt-9", "outcome": "rejected", "time": "2026-11-25T12:00:01Z"}
    log = written(tmp_path / "log.jsonl", [*(a_row(number) for number in range(40)), refused])
    code, out, progress = run(str(log), "--json")
    told = orjson.loads(out)
    assert (code, told["total"]["requests"], told["total"]["moved"]) == (0, 41, 40)
    assert told["total"]["refused_before_routing"] == 1
    assert told["total"]["cost"]["recorded_usd"] == pytest.approx(0.36)
    assert told["total"]["cost"]["replayed_usd"] == pytest.approx(0.036)
    assert told["total"]["saved"]["replayed_usd"] == pytest.approx(0.324)
    assert told["total"]["quality"]["known_share"] == 0.0
    assert [(row["route"], row["task"]) for row in told["slices"]] == [("-", "-"), ("default", "chat")]
    assert told["log"] == {"decisions": 41, "feedback": 0, "other_lines": 0, "unreadable_lines": 0, "kinds": 2}
    assert "quality is known only where the endpoint is the same" in told["cannot_be_known"][0]
    assert "planning 0 of 41" in progress


def test_says_how_many_lines_it_could_not_read(tmp_path: Path, run: Any) -> None:
    log = written(tmp_path / "log.jsonl", [a_row(1)])
    with log.open("ab") as file:
        file.write(b'starting up\n\n{"level": "info"}\n{"id": "a"}{"id": "b"}\n{"id": "\xff"}\n{"id": "torn')
    told = orjson.loads(run(str(log), "--json")[1])["log"]
    assert told == {"decisions": 1, "feedback": 0, "other_lines": 1, "unreadable_lines": 4, "kinds": 1}
    first, second, *_ = run(str(log))[1].splitlines()
    assert first == "1 decision, 0 feedback rows, 1 other line; 1 kind of request"
    assert second == "4 lines could not be read, torn or no JSON: left out"


def test_tells_people_in_a_table(tmp_path: Path, run: Any) -> None:
    rows = [a_row(1, route="gone"), a_row(2, cost_usd=None, attempts=[]), a_row(3, cost_usd=0.01)]
    notes = [feedback(a_row(4)["id"], 1.0, None, EPOCH_S)]
    code, out, _ = run(str(written(tmp_path / "log.jsonl", [*rows, a_row(4), *notes])), "--prices", "2027-01-31")
    assert code == 0
    assert "4 decisions, 1 feedback row, 0 other lines; 2 kinds of request" in out
    for text in ("4  here/l → here/s", "nothing known", "1 request: the recorded route is gone", "1 answer: the cost",
                 "what attempts that failed would have cost now: $0.00100 then"):  # fmt: skip
        assert text in out


def test_prices_of_a_file_are_taken(tmp_path: Path, run: Any) -> None:
    published = tmp_path / "prices.json"
    published.write_text('{"version": 1, "as_of": "", "endpoints": {}}')
    log = written(tmp_path / "log.jsonl", [a_row(1)])
    assert run(str(log), "--prices", str(published), "--json")[0] == 0


@pytest.mark.parametrize(
    ("content", "options", "says"),
    [
        (None, (), "there is no such file"),
        (b"hello\n", (), "the log holds no decision records"),
        (b"{}\n", ("--prices", "tomorrow"), "neither a day such as 2026-11-25 nor a file of prices"),
        (b"{}\n", ("--prices", "HERE"), "--prices"),
    ],
)
def test_says_what_is_wrong_in_one_line(
    tmp_path: Path, run: Any, content: bytes | None, options: tuple[str, ...], says: str
) -> None:
    log = tmp_path / "log.jsonl"
    if content is not None:
        log.write_bytes(content)
    code, _, error = run(str(log), *(str(log) if one == "HERE" else one for one in options))
    assert code == 1
    assert says in error
    assert "Traceback" not in error


def test_a_directory_is_told_from_a_file_that_is_not_there(tmp_path: Path, run: Any) -> None:
    code, _, error = run(str(tmp_path))
    assert code == 1
    assert f"{tmp_path} cannot be read: it is a directory; name its files, such as '{tmp_path}/*.jsonl'" in error


def test_reads_what_another_program_writes(tmp_path: Path, run: Any) -> None:
    """`pointsman replay <(ssh … cat decisions.jsonl)`"""
    log = written(tmp_path / "log.jsonl", [a_row(1)])
    with Popen(["cat", str(log)], stdout=PIPE) as other:
        assert other.stdout is not None
        code, out, error = run(f"/dev/fd/{other.stdout.fileno()}", "--json")
    assert (code, orjson.loads(out)["total"]["requests"]) == (0, 1), error


def test_a_file_that_is_no_parquet_is_refused(tmp_path: Path, run: Any) -> None:
    log = tmp_path / "log.parquet"
    log.write_bytes(b"not one")
    code, _, error = run(str(log))
    assert code == 1
    assert "the log cannot be read" in error


def test_without_duckdb_it_says_what_to_install(
    tmp_path: Path, run: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "duckdb", None)
    code, _, error = run(str(written(tmp_path / "log.jsonl", [a_row(1)])))
    assert code == 1
    assert "pip install 'pointsman[replay]'" in error


def test_leaves_nothing_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    log = written(tmp_path / "log.jsonl", [a_row(1)])
    RecordTable([str(log)], lambda _: None).close()
    with pytest.raises(NoRecords):
        RecordTable([str(tmp_path / "missing.jsonl")], lambda _: None)
    assert [path.name for path in tmp_path.iterdir()] == ["log.jsonl"]
