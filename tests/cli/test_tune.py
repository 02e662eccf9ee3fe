"""`pointsman tune`: a diff of the configuration, each change with its evidence, and nothing without."""

import json
from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest

from gateway.cli.main import main
from gateway.config.here import known_here
from gateway.config.load import ConfigText, load_config
from gateway.core.policy import Escalate, Policy
from tests.support.exports import HEAD, a_pair, an_export
from tests.support.logs import a_row, written

pytest.importorskip("duckdb", reason="DuckDB is not installed")

CONFIG = """\
# Ours.
providers:
  here:
    api: openai
    base_url: http://127.0.0.1:9/v1
    key: {none: true}
    models:
      - {id: s, tier: small, price: {input: 1, output: 4}}   # cheap
      - {id: l, tier: large, price: {input: 10, output: 40}}
tiers: [small, large]
classify:
  task_tiers:
    email: large  # to be sure
    chat: small
    creative: large
routes:
  - name: default
    evaluate: {share: 0.02, max_loss: 0.02, auto: false}
"""
SMALL = {
    "tier_required": "small", "plan": ["here/s"], "endpoint": "here/s", "baseline": "here/l",
    "candidates": [
        {"endpoint": name, "eligible": True, "reasons": [], "estimated_cost": 0.1} for name in ("here/s", "here/l")
    ],
    "excluded": {}, "attempts": [{"endpoint": "here/s", "outcome": "ok", "cost_usd": 0.0009}], "cost_usd": 0.0009,
}  # fmt: skip


def a_day(**changes: Any) -> list[dict[str, Any]]:
    """A hundred requests over a day, by the large model."""
    times = [datetime.fromtimestamp(1_764_028_800 + 86_400 * number / 99, UTC).isoformat() for number in range(100)]
    return [a_row(number, task="email", time=time, **changes) for number, time in enumerate(times)]


def judged(path: Path, rows: Iterable[dict[str, Any]]) -> Path:
    path.write_text("".join(f"{json.dumps(row)}\n" for row in rows))
    return path


@pytest.fixture
def run(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Any:
    """Runs the command; its exit code and what it printed."""
    config = tmp_path / "pointsman.yaml"
    config.write_text(CONFIG)

    def ran(rows: list[dict[str, Any]], *options: str, pairs: Iterable[dict[str, Any]] | None = None) -> Any:
        given = [] if pairs is None else ["--evaluations", str(judged(tmp_path / "judged.jsonl", pairs))]
        log = written(tmp_path / "log.jsonl", rows)
        code = main(["tune", str(log), *given, *options, "--config", str(config)])
        out = capsys.readouterr().out
        return code, json.loads(out) if "--json" in options else out, config

    return ran


def applied(text: str, diff: str) -> str:
    """The text with a unified diff of whole lines applied, as `patch` would."""
    old, new, at = text.splitlines(keepends=True), [], 0
    for line in diff.splitlines(keepends=True)[2:]:
        if line.startswith("@@"):
            start = int(line.split()[1].partition(",")[0][1:]) - 1
            new += old[at:start]
            at = start
        elif line[0] == "+":
            new.append(line[1:])
        else:
            assert old[at] == line[1:]
            new += [] if line[0] == "-" else [old[at]]
            at += 1
    return "".join([*new, *old[at:]])


def policy(text: str) -> Policy:
    return load_config(ConfigText(text.encode()), known_here(None, date(2026, 11, 25), {})).policy


GOOD = {"count": 850, "better": 0.02, "worse": 0.06}


def test_a_certified_task_is_proposed_with_its_bound_and_its_savings(run: Any) -> None:
    code, told, config = run(a_day(), "--json", pairs=an_export(**GOOD))
    (lower,) = told["lower"]
    (bound,) = lower["bounds"]
    assert (code, lower["task"], lower["now"], lower["then"]) == (0, "email", "large", "small")
    assert (bound["route"], bound["pairs"], bound["people"], lower["confidence"]) == ("default", 800, 800, 0.95)
    assert bound["loss"] < bound["at_most"] <= 0.02
    assert lower["money"]["saved_usd"] == pytest.approx(0.9 - 0.09)
    assert lower["money"]["saved_share"] == pytest.approx(0.9)
    assert lower["money"]["saved_usd_per_day"] == pytest.approx(0.81, rel=0.05)
    assert config.read_text() == CONFIG


def test_the_diff_changes_what_it_says_and_nothing_else(run: Any) -> None:
    _, told, config = run(a_day(), "--json", pairs=an_export(**GOOD))
    after = applied(CONFIG, told["diff"])
    wanted = CONFIG.replace("email: large  #", "email: small  #").replace("auto: false", "auto: true")
    assert after == wanted
    assert told["diff"].startswith(f"--- {config}\n+++ {config}\n@@")


def test_people_read_the_evidence_and_the_diff(run: Any) -> None:
    _, out, _ = run(a_day(), pairs=an_export(**GOOD))
    for text in (
        "email: large -> small\n  certified on route default: at most 0.1 % worse, -4.6 % measured ",
        "(800 judged pairs, 800 of them by people)",
        "with 95 % confidence, however often it is looked at", "saves 90 % of this slice, $0.", " a day (100 requests)",
        "route default: evaluate.auto: false -> true", "  - email: the easiest 100 % go a tier lower",
        "+    email: small  # to be sure\n", "Nothing is changed; --write would do it.",
    ):  # fmt: skip
        assert text in out


def test_writes_only_where_asked_and_what_it_showed(run: Any) -> None:
    before = policy(CONFIG)
    _, told, config = run(a_day(), "--json", "--write", pairs=an_export(**GOOD))
    after = policy(config.read_text())
    assert told["written"] is True
    rule = before.routes[0].evaluate
    assert rule is not None
    routes = (replace(before.routes[0], evaluate=replace(rule, auto=True)),)
    tiers = {**before.task_tiers, "email": 0}
    assert after == replace(before, task_tiers=tiers, routes=routes, generation=after.generation)
    assert config.read_text() == applied(CONFIG, told["diff"])
    assert main(["check", str(config)]) == 0


@pytest.mark.parametrize(
    ("rows", "pairs", "why"),
    [
        (a_day(), [HEAD, a_pair(1)], "route default has 1 judged pairs of it, and 100 are the least"),
        (a_day(), an_export(400, 0.05, 0.05), "400 judged pairs leave room for 8.1% loss; 2.0% is allowed"),
        (a_day(), an_export(100, 0.9, 0.0), "leave room for any loss"),
        (a_day(model="here/l"), an_export(**GOOD), "no request of the log would go elsewhere"),
    ],
)
def test_without_evidence_nothing_is_proposed_and_what_is_missing_is_told(
    run: Any, rows: list[dict[str, Any]], pairs: Any, why: str
) -> None:
    _, told, _ = run(rows, "--json", pairs=pairs)
    assert told["lower"] == []
    assert [why in one["why"] for one in told["missing"] if one["what"] == "email: large -> small"] == [True]


def test_says_how_many_lines_of_the_log_it_could_not_read(
    run: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    log = written(tmp_path / "torn.jsonl", a_day())
    with log.open("ab") as file:
        file.write(b'{"id": "torn')
    run(a_day())
    assert main(["tune", str(log), "--config", str(tmp_path / "pointsman.yaml"), "--json"]) == 0
    told = capsys.readouterr()
    assert told.err.splitlines()[-1] == "1 line could not be read, torn or no JSON: left out"
    assert json.loads(told.out)["written"] is False


def test_without_pairs_it_says_how_to_come_by_them(run: Any) -> None:
    code, out, _ = run(a_day())
    assert code == 0
    assert "Nothing is proposed." in out
    assert "there are no judged pairs. What helps: `evaluate:` on a route" in out
    assert "no feedback, and no request that asked for JSON" in out


def test_every_route_that_would_change_must_be_certified(run: Any) -> None:
    config = CONFIG.replace("routes:\n", "routes:\n  - {name: desk, match: {model: auto}, evaluate: {share: 0.1}}\n")
    rows = [*a_day(), a_row(500, task="email", route="desk")]
    _, told, path = run(rows, "--json", pairs=an_export(**GOOD))
    assert [one["task"] for one in told["lower"]] == ["email"]
    path.write_text(config)
    _, told, _ = run(rows, "--json", pairs=an_export(**GOOD))
    assert "route desk has 0 judged pairs of it" in told["missing"][0]["why"]


def notes(rows: list[dict[str, Any]], *scores: float) -> list[dict[str, Any]]:
    pairs = zip(rows, scores, strict=False)
    return [{"type": "feedback", "decision": row["id"], "score": score} for row, score in pairs]


def test_a_task_that_does_badly_is_a_warning_with_the_price_of_going_up(run: Any) -> None:
    rows = [{**row, "task": "chat"} for row in a_day(**SMALL)]
    _, told, _ = run([*rows, *notes(rows, *[-1.0] * 40, *[1.0] * 40)], "--json")
    (doubt,) = told["warnings"]
    assert [doubt[name] for name in ("task", "now", "above", "bad", "of")] == ["chat", "small", "large", 40, 80]
    assert (doubt["evidence"], doubt["judged"]) == ("observational", True)
    assert 0.35 < doubt["surely"] < 0.5
    assert doubt["money"]["saved_usd"] == pytest.approx(0.09 - 0.9)
    assert (told["lower"], told["diff"]) == ([], "")


def test_people_read_a_warning(run: Any) -> None:
    rows = [{**row, "task": "chat"} for row in a_day(**SMALL)]
    _, out, _ = run([*rows, *notes(rows, *[-1.0] * 40, *[1.0] * 40)])
    assert "- chat at small: 50 % of 80 answers with feedback or a form were bad (surely 39 %)" in out
    assert "small -> large costs 900 % of this slice" in out
    broken = [{**row, "outcome": "partial"} for row in a_day()]
    _, out, _ = run(broken)
    assert "email at large: 100 % of 100 answers were useless (broken off" in out
    assert "there is no higher tier" in out


def test_escalation_by_feedback_is_told_what_was_bad(run: Any, tmp_path: Path) -> None:
    rows = [{**row, "task": "chat"} for row in a_day(**SMALL)]
    told = [*rows, *notes(rows, *[-1.0] * 30, *[1.0] * 60)]
    run(told)
    strategy = "strategy: {escalate: {share: 0.2, to: large, by: feedback}}"
    steering = CONFIG.replace("auto: false}", f"auto: false}}\n    {strategy}")
    (tmp_path / "pointsman.yaml").write_text(steering)
    _, out, config = run(told, "--write")
    assert "escalation on route default: bad.chat: 0 -> 0.24\n  30 of 90 judged answers" in out
    assert "strategy: {escalate: {bad: {chat: 0.24}, share: 0.2, to: large, by: feedback}}" in config.read_text()
    assert policy(config.read_text()).routes[0].escalate == Escalate(0.2, 1, "feedback", {"chat": 0.24})


def test_who_does_badly_is_not_lowered(run: Any) -> None:
    rows = a_day()
    _, told, _ = run([*rows, *notes(rows, *[-1.0] * 50)], "--json", pairs=an_export(**GOOD))
    assert [one["task"] for one in told["lower"]] == ["email"], "it has the highest tier, and nowhere to go but down"
    assert told["warnings"][0]["above"] is None


def test_a_change_without_a_plain_place_is_left_to_a_person(run: Any, tmp_path: Path) -> None:
    path = tmp_path / "pointsman.yaml"
    run(a_day())
    path.write_text(CONFIG.replace("email: large", "email: &top large").replace("creative: large", "creative: *top"))
    _, told, _ = run(a_day(), "--json", pairs=an_export(**GOOD))
    assert ("email" in told["diff"], "auto: true" in told["diff"]) == (False, True)
    (by_hand,) = told["by_hand"]
    assert by_hand.endswith("change it by hand: classify.task_tiers.email: small")


def test_without_a_file_it_proposes_one(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("OPENAI_API_KEY", "k")
    assert main(["tune", str(written(tmp_path / "log.jsonl", a_day())), "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["diff"], told["config"]) == ("", "pointsman.yaml")


@pytest.mark.parametrize(
    ("lines", "says"), [("{", "line 1 is no line of an export"), (None, "cannot be read: No such file")]
)
def test_an_export_that_is_none_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], lines: str | None, says: str
) -> None:
    export, config = tmp_path / "judged.jsonl", tmp_path / "p.yaml"
    config.write_text(CONFIG)
    if lines is not None:
        export.write_text(lines)
    log = written(tmp_path / "log.jsonl", a_day())
    assert main(["tune", str(log), "--evaluations", str(export), "--config", str(config)]) == 1
    assert says in capsys.readouterr().err
