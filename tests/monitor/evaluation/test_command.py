"""`pointsman evaluations`, as people and programs call it."""

import io
import json
import os
import stat
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from monitor.evaluation.command import main
from monitor.evaluation.pairs import Verdict
from monitor.evaluation.store import Store, StoreError
from tests.support.halves import DAY_S, a_half, by_model, by_person, complete, decisions

ONCE = decisions(1, 3)
(TWICE,) = decisions(2, 1)

Run = Any


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("POINTSMAN_STATE_DIR", raising=False)
    monkeypatch.setenv("POINTSMAN_EVALUATIONS", "sqlite:///here.sqlite")


@pytest.fixture
def store() -> Iterator[Store]:
    opened = Store.open("here.sqlite")
    yield opened
    opened.close()


@pytest.fixture
def filled(store: Store) -> Store:
    now_s = time.time()
    complete(store, a_half(TWICE, now_s), a_half(ONCE[0], now_s - 2 * DAY_S), a_half(ONCE[1], 1.0, route="old"))
    store.add([a_half(ONCE[2], now_s)], now_s)
    for judgement in (
        by_person(TWICE, Verdict.UPPER),
        by_person(TWICE, Verdict.UPPER, "bob"),
        by_model(TWICE, Verdict.TIE),
    ):
        store.judge(judgement)
    return store


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Run:
    def run(*arguments: str) -> tuple[int, str, str]:
        status = main(arguments)
        out, err = capsys.readouterr()
        return status, out, err

    return run


def test_what_is_exported_can_be_imported(filled: Store, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    assert run("export", "pairs.jsonl") == (0, "4 pairs exported to pairs.jsonl\n", "")
    assert stat.S_IMODE(Path("pairs.jsonl").stat().st_mode) == 0o600
    monkeypatch.setenv("POINTSMAN_EVALUATIONS", "there.sqlite")
    assert run("import", "pairs.jsonl", "--json") == (0, '{"imported": 4}\n', "")
    assert run("import", "pairs.jsonl") == (0, "0 pairs imported that were not there yet\n", "")
    status, exported, _ = run("export")
    assert (status, exported) == (0, Path("pairs.jsonl").read_text())


def test_imports_from_standard_input(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", SimpleNamespace(buffer=io.BytesIO(b'{"kind":"evaluations","version":1}\n')))
    assert run("import", "-")[0] == 0


def test_says_which_line_is_none_and_imports_nothing(store: Store, run: Run) -> None:
    Path("bad.jsonl").write_text('{"kind":"evaluations","version":1}\n{"kind":\n')
    told = "pointsman: bad.jsonl: line 2: the line: must be one JSON object; nothing was imported\n"
    assert run("import", "bad.jsonl") == (1, "", told)
    Path("bad.jsonl").write_text('{"kind":"evaluations","version":1}\n{"kind":"state","key":"k","value":1}\n')
    told = "pointsman: bad.jsonl: line 2: value: must be bytes in base64, and is a whole number; nothing was imported\n"
    assert run("import", "bad.jsonl") == (1, "", told)


def test_leaves_no_half_export(filled: Store, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    class Failing:
        def export(self) -> Iterator[dict[str, Any]]:
            yield {"kind": "evaluations", "version": 1}
            raise StoreError("the disk is gone")

        def close(self) -> None: ...

    monkeypatch.setattr(Store, "open", lambda _: Failing())
    assert run("export", "pairs.jsonl") == (1, "", "pointsman: the disk is gone\n")
    assert not Path("pairs.jsonl").exists()


def test_ends_quietly_where_nobody_reads_on(filled: Store) -> None:
    reader, writer = os.pipe()
    os.close(reader)
    command = [sys.executable, "-m", "monitor.evaluation", "export"]
    done = subprocess.run(command, stdout=writer, stderr=subprocess.PIPE, check=False, env=_environment())
    os.close(writer)
    assert (done.returncode, done.stderr) == (1, b"")


def test_overwrites_no_file(filled: Store, run: Run) -> None:
    Path("there").write_text("mine")
    assert run("export", "there") == (1, "", "pointsman: there is there already: name a new file\n")
    assert run("export", "none/x") == (1, "", "pointsman: none/x cannot be written: No such file or directory\n")
    assert Path("there").read_text() == "mine"


def test_deletes_what_is_older(filled: Store, run: Run) -> None:
    assert run("purge", "--older-than", "1d", "--route", "support") == (0, "1 pair deleted\n", "")
    assert run("purge", "--older-than", "1d", "--json") == (0, '{"purged": 1}\n', "")
    assert sorted(row["decision"] for row in filled.export() if row["kind"] == "pair") == sorted([TWICE, ONCE[2]])


def test_tells_how_far_it_is(filled: Store, run: Run) -> None:
    assert run("progress") == (
        0,
        "old, chat: 1 pair; 0 wait for a second answer, 0 never got one\n"
        "  judged: 0 by people, 0 by a model, 0 by nobody (one endpoint for both)\n"
        "support, chat: 2 pairs; 1 wait for a second answer, 0 never got one\n"
        "  judged: 1 by people, 0 by a model, 0 by nobody (one endpoint for both); mean gain of the higher tier "
        "+1.000; people agree in 100 % of 1; the model agrees with people in 0 % of 2\n",
        "",
    )
    status, out, _ = run("progress", "--json")
    assert (status, json.loads(out)[1]["people_agree"]) == (0, {"compared": 1, "agreed": 1})


def test_nothing_to_tell_yet(store: Store, run: Run) -> None:
    assert run("progress") == (0, "nothing was evaluated yet\n", "")


def test_makes_no_store_only_to_read_it(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    assert run("progress") == (1, "", "pointsman: there are no evaluations in here.sqlite\n")
    monkeypatch.delenv("POINTSMAN_EVALUATIONS")
    assert run("progress", "--state-dir", "state") == (
        1, "", "pointsman: there are no evaluations in state/evaluations.sqlite\n",
    )  # fmt: skip
    assert not list(Path().iterdir())


def test_says_what_to_set_where_there_is_no_place(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("POINTSMAN_EVALUATIONS")
    status, _, err = run("progress")
    assert (status, "set POINTSMAN_EVALUATIONS" in err) == (1, True)


def test_says_which_variable_cannot_be_used(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("POINTSMAN_PORT", "x")
    status, _, err = run("progress")
    assert (status, "POINTSMAN_PORT" in err) == (1, True)


def test_tells_no_password(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("POINTSMAN_EVALUATIONS", "mysql://root:geheim@h/d")
    status, out, err = run("progress")
    assert (status, "geheim" in out + err) == (1, False)


@pytest.mark.parametrize("arguments", [[], ["purge"], ["purge", "--older-than", "90"], ["fly"]])
def test_wrong_usage_is_status_2(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    assert ended.value.code == 2
    assert "usage: pointsman evaluations" in capsys.readouterr().err


def test_is_a_command_of_pointsman(filled: Store) -> None:
    command = [sys.executable, "-m", "gateway.cli.main", "evaluations", "progress", "--json"]
    done = subprocess.run(command, capture_output=True, check=True, cwd=Path.cwd(), env=_environment())
    assert [row["route"] for row in json.loads(done.stdout)] == ["old", "support"]


def test_sqlalchemy_is_loaded_only_where_a_store_is_opened() -> None:
    look = "import sys, monitor.evaluation.command; sys.exit('sqlalchemy' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", look], check=False, env=_environment()).returncode == 0


def _environment() -> dict[str, str]:
    root = str(Path(__file__).parents[3])
    return {"POINTSMAN_EVALUATIONS": str(Path("here.sqlite").absolute()), "PYTHONPATH": root}
