"""`pointsman import`, as a person and as a program use it."""

import io
import json
import os
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from gateway.cli.main import main

LITELLM = "model_list:\n- model_name: chat\n  litellm_params: {model: gpt-4o, api_key: sk-inline, mystery: 1}\n"
PORTKEY = '{"provider": "openai", "override_params": {"model": "gpt-4o"}}'
KEY = "a secret stands in the file itself: it was not copied; put it into the variable OPENAI_API_KEY"


@pytest.fixture(autouse=True)
def _clean_machine(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in [*os.environ]:
        if name.endswith(("_API_KEY", "_TOKEN")) or name.startswith("POINTSMAN_"):
            monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)


def test_writes_a_file_that_check_accepts_and_tells_what_differs_by_line(capsys: pytest.CaptureFixture[str]) -> None:
    Path("config.yaml").write_text(LITELLM)
    assert main(["import", "litellm", "config.yaml", "--output", "pointsman.yaml"]) == 0
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.splitlines() == [
        f"config.yaml:3: model_list[0].litellm_params.api_key: {KEY}",
        "config.yaml:3: model_list[0].litellm_params.mystery: has no equivalent: it was left out",
        "2 notes on what differs; written to pointsman.yaml; next: pointsman check pointsman.yaml",
    ]
    assert main(["check", "pointsman.yaml"]) == 0
    assert "sk-inline" not in Path("pointsman.yaml").read_text()


def test_writes_to_standard_output_by_default(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "stdin", SimpleNamespace(buffer=io.BytesIO(PORTKEY.encode())))
    assert main(["import", "portkey", "-"]) == 0
    said = capsys.readouterr()
    assert said.err == "everything has its equivalent; next: pointsman check FILE\n"
    Path("pointsman.yaml").write_text(said.out)
    assert main(["check", "pointsman.yaml"]) == 0


def test_speaks_json(capsys: pytest.CaptureFixture[str]) -> None:
    Path("config.yaml").write_text(LITELLM)
    assert main(["import", "litellm", "config.yaml", "--json"]) == 0
    said = json.loads(capsys.readouterr().out)
    assert said["config"].startswith("# Made by `pointsman import litellm`.")
    assert (said["output"], said["problems"]) == (None, [])
    assert said["notes"][0] == {"line": 3, "path": "model_list[0].litellm_params.api_key", "message": KEY}


def test_never_writes_over_a_file(capsys: pytest.CaptureFixture[str]) -> None:
    Path("config.json").write_text(PORTKEY)
    Path("pointsman.yaml").write_text("mine")
    assert main(["import", "portkey", "config.json", "--output", "pointsman.yaml"]) == 1
    words = "pointsman: pointsman.yaml is there already; name another file, or remove it\n"
    assert (capsys.readouterr().err, Path("pointsman.yaml").read_text()) == (words, "mine")
    assert main(["import", "portkey", "config.json", "--output", "no/such/folder.yaml"]) == 1
    assert "cannot be written: No such file or directory" in capsys.readouterr().err


@pytest.mark.parametrize(("kind", "text"), [("litellm", "a: [1"), ("portkey", "{")])
def test_refuses_what_it_cannot_read(kind: str, text: str, capsys: pytest.CaptureFixture[str]) -> None:
    Path("config").write_text(text)
    assert main(["import", kind, "config"]) == 1
    said = capsys.readouterr().err
    assert said.startswith("pointsman: config:")
    assert "not valid" in said


@pytest.mark.parametrize("kind", ["litellm", "portkey"])
def test_helps(kind: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["import", kind, "--help"])
    assert f"pointsman import {kind} config." in capsys.readouterr().out
