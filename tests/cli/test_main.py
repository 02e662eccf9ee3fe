"""The commands that need no other process."""

import io
import json
import os
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from gateway.cli.main import main
from gateway.cli.parser import SETTINGS
from gateway.settings import Settings

BAD = "breaker: {failures: 0}\nroutes: [{name: a, sensitivity: pi}]\n"


@pytest.fixture(autouse=True)
def _clean_machine(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in [*os.environ]:
        if name.endswith(("_API_KEY", "_TOKEN")) or name.startswith("POINTSMAN_"):
            monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)


def stdin(monkeypatch: pytest.MonkeyPatch, data: bytes) -> None:
    monkeypatch.setattr(sys, "stdin", SimpleNamespace(buffer=io.BytesIO(data)))


def test_check_accepts_a_good_file_and_says_what_is_in_it(capsys: pytest.CaptureFixture[str]) -> None:
    Path("p.yaml").write_text(
        "providers: {deepseek: {key: {none: true}, only: deepseek-v4-flash}}\nroutes: [{name: mine}]\n"
    )
    assert main(["check", "p.yaml"]) == 0
    assert capsys.readouterr().out == "ok: 1 provider, 1 endpoint, routes: mine\n"


def test_check_prints_warnings_of_a_good_file(capsys: pytest.CaptureFixture[str]) -> None:
    Path("p.yaml").write_text("providers:\n  openai: {}\n")
    assert main(["check", "p.yaml"]) == 0
    assert capsys.readouterr().out.startswith("warning: p.yaml:2: providers.openai: no key in ")


def test_check_refuses_a_bad_file_with_all_its_problems(capsys: pytest.CaptureFixture[str]) -> None:
    Path("p.yaml").write_text(BAD)
    assert main(["check", "p.yaml"]) == 1
    assert capsys.readouterr().out == (
        "p.yaml:1: breaker.failures: 0 must be greater than or equal to 1\n"
        'p.yaml:2: routes[0].sensitivity: "pi" is not a label of sensitivity:; valid: public, internal, pii, eu-only '
        '(did you mean "pii"?)\n'
        "refused: 2 problems\n"
    )


def test_check_speaks_json_and_reads_standard_input(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    stdin(monkeypatch, b"tiers: 3")
    assert main(["check", "--json", "-"]) == 1
    assert json.loads(capsys.readouterr().out) == {
        "ok": False,
        "problems": [{"file": "stdin", "line": 1, "path": "tiers", "message": "3 must be a list"}],
    }
    stdin(monkeypatch, b"{}")
    assert main(["check", "--json", "-"]) == 0
    assert json.loads(capsys.readouterr().out)["summary"]["routes"] == ["default"]


def test_check_says_that_there_is_no_such_file(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", "none.yaml"]) == 1
    assert capsys.readouterr().err == "pointsman: none.yaml: cannot be read: No such file or directory\n"


def test_models_lists_the_catalog_and_what_is_usable(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk")
    assert main(["models", "--json"]) == 0
    rows = {row["id"]: row for row in json.loads(capsys.readouterr().out)}
    assert {row["provider"] for row in rows.values() if row["usable"]} == {"openai"}
    assert rows["openai/gpt-4o"]["price"] == {"input": 2.5, "output": 10.0, "cached_input": 1.25}
    assert len({row["provider"] for row in rows.values()}) >= 14


def test_models_can_be_only_those_configured(capsys: pytest.CaptureFixture[str]) -> None:
    Path("pointsman.yaml").write_text(
        "providers: {x: {api: openai, base_url: 'http://h', key: {none: true}, "
        "models: [{id: m, tier: small, context: 10, price: {input: 1, output: 2.5}}, {id: n}]}}"
    )
    assert main(["models", "--configured"]) == 0
    assert capsys.readouterr().out == (
        "endpoint  usable  tier   context  in $/M  out $/M  caps               api\n"
        "x/m       yes     small       10       1      2.5  json_schema,tools  openai\n"
        "x/n       yes     -            -       -        -  json_schema,tools  openai\n"
        "\n2 endpoints, 2 usable here.\n"
    )


def test_models_names_the_keys_that_would_help(capsys: pytest.CaptureFixture[str]) -> None:
    Path("pointsman.yaml").write_text("providers: {openai: {only: gpt-4o}}")
    assert main(["models", "--configured"]) == 0
    assert capsys.readouterr().out.endswith("Keys that would make more usable: OPENAI_API_KEY (openai)\n")


def test_schema_is_json(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["schema"]) == 0
    assert json.loads(capsys.readouterr().out)["title"] == "pointsman.yaml"


def test_explain_says_that_no_gateway_answers(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    stdin(monkeypatch, b"{}")
    assert main(["explain", "--url", "http://127.0.0.1:1"]) == 1
    assert "http://127.0.0.1:1/v1/explain does not answer" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        (["explain", "nowhere.json"], "nowhere.json cannot be read: No such file or directory"),
        (["explain", "--header", "x"], "--header x: write NAME:VALUE"),
        (["models", "--catalog", "nowhere.json"], "nowhere.json: cannot be read: No such file or directory"),
        (["run", "--port", "70000"], 'POINTSMAN_PORT: "70000" cannot be used: it must be less than or equal to 65535'),
        (["run", "--config", "nowhere.yaml"], "nowhere.yaml: cannot be read: No such file or directory"),
    ],
)
def test_says_in_a_line_what_cannot_be_done(
    arguments: list[str], problem: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(arguments) == 1
    assert capsys.readouterr().err == f"pointsman: {problem}\n"


COMMANDS = (
    "run", "gateway", "monitor", "check", "explain", "decisions tail", "decisions show", "top", "models", "schema",
    "import litellm", "import portkey", "evaluations export", "evaluations import", "evaluations purge",
    "evaluations progress",
)  # fmt: skip


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_help_with_examples_and_json(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main([*command.split(), "--help"])
    shown = capsys.readouterr().out
    assert "examples:" in shown
    assert "--json" in shown


@pytest.mark.parametrize("arguments", [[], ["fly"], ["check"]])
def test_wrong_usage_is_status_2(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    assert ended.value.code == 2
    assert "usage: pointsman" in capsys.readouterr().err


def test_explain_needs_no_gateway(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("POINTSMAN_PORT", "1")  # where nobody listens
    monkeypatch.setenv("OPENAI_API_KEY", "sk")
    Path("ask.json").write_text('{"model": "auto", "messages": [{"role": "user", "content": "Say hello."}]}')
    assert main(["explain", "ask.json", "--json", "--header", "x-pointsman-tier: large"]) == 0
    shown = capsys.readouterr()
    assert shown.err == "no gateway runs here: explained from the configuration alone, without live health\n"
    decision = json.loads(shown.out)
    assert (decision["tier_required"], decision["plan"][0].partition("/")[0]) == ("large", "openai")


def test_options_are_settings_of_the_same_name() -> None:
    assert set(SETTINGS) <= set(Settings.model_fields)
