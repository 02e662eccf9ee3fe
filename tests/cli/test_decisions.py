"""`pointsman decisions` as it is typed."""

import io
import json
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from gateway.cli.main import main
from tests.support.admin_port import admin_port

ROWS: list[dict[str, Any]] = [
    {"id": f"{number:016}", "time": f"2026-11-25T10:00:0{number}.000Z", "outcome": outcome, "status": 200,
     "route": route, "endpoint": "a/x", "model": "auto", "surface": "chat", "latency_ms": 5.0, "cost_usd": 0.0}
    for number, (outcome, route) in enumerate([("ok", "r"), ("failed", "r"), ("ok", "s"), ("ok", "r")])
]  # fmt: skip
TEXT = "".join(f"{json.dumps(row)}\n" for row in ROWS)


@pytest.fixture
def file(tmp_path: Path) -> str:
    path = tmp_path / "decisions.jsonl"
    path.write_text(TEXT)
    return str(path)


def ids(printed: str) -> list[int]:
    return [int(line.split()[1]) for line in printed.splitlines()]


@pytest.mark.parametrize(
    ("options", "shown"),
    [
        ([], [0, 1, 2, 3]),
        (["-n", "2"], [2, 3]),
        (["-n", "0"], []),
        (["--route", "r"], [0, 1, 3]),
        (["--route", "r", "--lines", "1", "--outcome", "failed"], [1]),
        (["--endpoint", "b/x"], []),
    ],
)
def test_tail_prints_the_last_that_fit(
    options: list[str], shown: list[int], file: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["decisions", "tail", file, "--once", *options]) == 0
    assert ids(capsys.readouterr().out) == shown


def test_tail_reads_a_pipe_to_its_end_and_speaks_json(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "stdin", SimpleNamespace(buffer=io.BytesIO(b"INFO up\n" + TEXT.encode())))
    assert main(["decisions", "tail", "-", "--json", "--outcome", "failed"]) == 0
    assert json.loads(capsys.readouterr().out) == ROWS[1]


def test_reads_a_gateway_by_its_admin_port(capsys: pytest.CaptureFixture[str]) -> None:
    def answers(path: str) -> Any:
        return ROWS[2] if path == f"/api/decisions/{ROWS[2]['id']}" else {"decisions": ROWS[::-1]}

    with admin_port(answers) as url:
        assert main(["decisions", "tail", "--url", url, "--once"]) == 0
        assert ids(capsys.readouterr().out) == [0, 1, 2, 3]
        assert main(["decisions", "show", ROWS[2]["id"], "--url", url, "--json"]) == 0
        assert json.loads(capsys.readouterr().out) == ROWS[2]


def test_show_tells_one_whole(file: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["decisions", "show", ROWS[1]["id"], file]) == 0
    assert capsys.readouterr().out == (
        "decision 0000000000000001, 2026-11-25 10:00:01.000 UTC\n"
        "asked        auto (chat, whole reply)\n"
        "prompt       0 characters\n"
        "route        r\n"
        "sensitivity  none\n"
        "task         None, difficulty None\n"
        "tier         any\n"
        "plan         nobody was left\n"
        "excluded     nothing\n"
        "ended        failed (200) by a/x, 5.0 ms\n"
        "cost         $0\n"
    )


def test_says_what_there_is_not(file: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["decisions", "show", "nobody", file]) == 1
    assert capsys.readouterr().err == f"pointsman: there is no decision nobody in {file}\n"
    with admin_port(lambda _: 404) as url:
        assert main(["decisions", "show", "nobody", "--url", url]) == 1
    assert capsys.readouterr().err == (
        f"pointsman: there is no decision nobody in {url}, which keeps only its last ones: give the file of decisions\n"
    )


@pytest.mark.parametrize("options", [["-n", "-1"], ["--outcome", "odd"], ["file", "--url", "http://h"]])
def test_wrong_usage_is_status_2(options: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["decisions", "tail", *options])
    assert ended.value.code == 2
    assert "usage: pointsman decisions tail" in capsys.readouterr().err
