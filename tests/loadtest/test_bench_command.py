"""The command: what it says where it cannot measure, and one whole small run with nginx and the real gateway."""

import json
import re
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from loadtest.bench import __main__ as command
from loadtest.bench import measure
from loadtest.bench.rig import BenchError, find_nginx

ROOT = Path(__file__).parents[2]  # stands for a compiled gateway: what is in it matters to nobody here

linux = pytest.mark.skipif(sys.platform != "linux", reason="needs Linux's /proc")


def nothing() -> Path | None:
    """Where nothing is compiled."""
    return None


def run(monkeypatch: pytest.MonkeyPatch, *arguments: str, built: Callable[[], Path | None] = nothing) -> int:
    monkeypatch.setattr(sys, "argv", ["loadtest.bench", *arguments])
    monkeypatch.setattr(command.signal, "signal", lambda *_: None)  # pytest's own handlers stay
    monkeypatch.setattr(measure, "_SETTLE_S", 0.05)  # whatever a figure is worth here
    monkeypatch.setattr(command, "compiled_gateway", built)
    return command.main()


@linux
def test_says_what_is_missing(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(command, "find_nginx", lambda: None)
    assert run(monkeypatch) == 0
    assert capsys.readouterr().out == "not measured: nginx not installed: apt install nginx\n"


def test_refuses_to_check_a_row_that_does_not_run(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(monkeypatch, "--check", "6", "--only", "sse-1") == 2
    assert capsys.readouterr().err == "--check looks at the row json-small, which --only leaves out\n"


@pytest.mark.parametrize(
    ("switch", "row"), [(["--check-seeing", "15"], "seeing"), (["--check-learned", "1", "2"], "learned")]
)
def test_refuses_to_check_what_is_not_measured(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], switch: list[str], row: str
) -> None:
    assert run(monkeypatch, *switch, "--only", "sse-1") == 2
    assert capsys.readouterr().err == f"{switch[0]} looks at the row {row}, which --only leaves out\n"


def test_refuses_an_interpreter_that_cannot_load_the_libraries(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(monkeypatch, "--python", "/no/such/python") == 2
    assert "/no/such/python is no interpreter that can load" in capsys.readouterr().err


@pytest.mark.parametrize("arguments", [["--rounds", "0"], ["--seconds", "0"], ["--only", "sse-2"]])
def test_refuses_arguments_that_measure_nothing(monkeypatch: pytest.MonkeyPatch, arguments: list[str]) -> None:
    with pytest.raises(SystemExit, match="2"):
        run(monkeypatch, *arguments)


@linux
@pytest.mark.skipif(find_nginx() is None, reason="needs nginx: apt install nginx")
def test_measures_writes_the_page_and_checks_the_ratio(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    page = tmp_path / "performance.md"
    short = ["--rounds", "1", "--seconds", "0.2", "--only", "json-small,seeing,streams", "--streams", "5"]
    limits = ["--check", "0.001", "--check-seeing", "9999"]
    code = run(monkeypatch, *short, "--json", "--write", str(page), *limits, built=lambda: ROOT)
    printed = capsys.readouterr()
    report = json.loads(printed.out)
    assert code == 1
    assert "above the limit of 0.001" in printed.err
    assert "within the limit of 9999" in printed.err
    assert [[cost["server"] for cost in row["costs"]] for row in report["rows"]] == [
        ["nginx", "gateway", "gateway as sources", "gateway+detect"],
        ["nginx", "gateway-unseen", "gateway+traces"],
    ]
    assert all(cost["cpu_us"] > 0 for cost in report["rows"][0]["costs"])
    assert [(one["server"], one["cancelled"]) for one in report["memory"]] == [("nginx", 5), ("gateway", 5)]
    assert "| whole reply, 200 B prompt | gateway |" in page.read_text()


@linux
@pytest.mark.skipif(find_nginx() is None, reason="needs nginx: apt install nginx")
def test_measures_every_round_on_a_new_gateway_with_our_own_load(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(monkeypatch, "--rounds", "2", "--seconds", "0.2", "--only", "json-one", "--load", "own") == 0
    printed = capsys.readouterr()
    assert "load by own generator" in printed.out
    assert re.search(r"whole reply, one request at a time  gateway +[0-9.]+ +[0-9.]+ to [0-9.]+ ", printed.out)


@linux
@pytest.mark.skipif(find_nginx() is None, reason="needs nginx: apt install nginx")
def test_measures_no_build_that_is_not_made_of_the_sources(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def refused() -> Path | None:
        raise BenchError("build/compiled is not made of setup.py")

    assert run(monkeypatch, built=refused) == 2
    assert capsys.readouterr().err == "not measured: build/compiled is not made of setup.py\n"


def test_measures_the_sources_beside_a_compiled_gateway_alone() -> None:
    servers = [[row.servers for row in command.asked_rows(("json-small",), built)] for built in (ROOT, None)]
    assert servers == [
        [("nginx", "gateway", "gateway as sources", "gateway+detect")],
        [("nginx", "gateway", "gateway+detect")],
    ]


@linux
@pytest.mark.skipif(find_nginx() is None, reason="needs nginx: apt install nginx")
def test_measures_the_learned_classifier_alone(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(monkeypatch, "--only", "learned", "--json", "--check-learned", "9999", "0.001") == 1
    printed = capsys.readouterr()
    judging = json.loads(printed.out)["judging"]
    assert (judging["prompts"], judging["prompt_bytes"]) == (1000, 2000)
    assert 0 < judging["p50_ms"] <= judging["p99_ms"]
    assert "within the limit of 9999\n" in printed.err
    assert "above the limit of 0.001\n" in printed.err
