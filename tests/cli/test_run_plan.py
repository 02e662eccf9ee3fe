"""What a run is going to start."""

import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from gateway.cli.run_plan import Plan, RunError, plan_run
from gateway.settings import Settings
from tests.support.configs import known


@pytest.fixture(autouse=True)
def _clean_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in Settings.model_fields:
        monkeypatch.delenv(f"POINTSMAN_{name.upper()}", raising=False)
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def taken_port() -> Iterator[int]:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        yield taken.getsockname()[1]


def settings(**given: object) -> Settings:
    return Settings(**{"port": 0, "admin_port": 0, "monitor_port": 0, **given})


def test_simulates_where_there_is_neither_key_nor_configuration(tmp_path: Path) -> None:
    plan = plan_run(settings(state_dir=tmp_path), known(), tmp_path)
    assert (plan.simulate, plan.own_state, plan.state_dir) == (True, False, tmp_path)
    assert len({plan.settings.port, plan.settings.admin_port, plan.settings.monitor_port, 0}) == 4


def test_simulates_nothing_where_a_key_or_a_configuration_is_there(tmp_path: Path) -> None:
    assert not plan_run(settings(state_dir=tmp_path), known("OPENAI_API_KEY"), tmp_path).simulate
    assert not plan_run(settings(state_dir=tmp_path, config=tmp_path / "p.yaml"), known(), tmp_path).simulate


def test_keeps_its_state_in_the_checkout_or_else_for_this_run_alone(tmp_path: Path) -> None:
    elsewhere = plan_run(settings(), known(), tmp_path)
    assert elsewhere.own_state
    elsewhere.state_dir.rmdir()
    (tmp_path / "pyproject.toml").touch()
    (tmp_path / "loadtest").mkdir()
    assert plan_run(settings(), known(), tmp_path).state_dir == tmp_path / ".state"


def test_says_which_option_helps_where_a_port_is_taken(tmp_path: Path, taken_port: int) -> None:
    with pytest.raises(RunError, match=f"cannot listen on 127.0.0.1:{taken_port}: .*choose another with --admin-port"):
        plan_run(settings(admin_port=taken_port), known(), tmp_path)


def plan(**given: object) -> Plan:
    return Plan(settings(**{"port": 1, "admin_port": 2, "monitor_port": 3, **given}), Path("/s"), False, simulate=False)


def test_the_children_share_what_was_decided() -> None:
    environ = plan().environ({"PATH": "/bin", "POINTSMAN_PORT": "9"}, Path("/c.yaml"))
    token = environ.pop("POINTSMAN_EVALUATIONS_TOKEN")
    assert len(token) > 40
    assert environ == {
        "PATH": "/bin",
        "POINTSMAN_HOST": "127.0.0.1",
        "POINTSMAN_PORT": "1",
        "POINTSMAN_ADMIN_PORT": "2",
        "POINTSMAN_MONITOR_PORT": "3",
        "POINTSMAN_STATE_DIR": "/s",
        "POINTSMAN_DECISIONS": "/s/decisions.jsonl",
        "POINTSMAN_GATEWAYS": "http://127.0.0.1:2",
        "POINTSMAN_MONITOR_URL": "http://127.0.0.1:3",
        "POINTSMAN_KUBERNETES": "off",
        "POINTSMAN_DRAIN_S": "45",
        "POINTSMAN_CONFIG": "/c.yaml",
    }
    assert plan(drain_s=3.5).environ({}, None)["POINTSMAN_DRAIN_S"] == "3.5"
    assert "POINTSMAN_CONFIG" not in plan().environ({}, None)


def test_the_children_know_each_other_by_a_token_of_this_run_or_the_operators() -> None:
    first, other = plan(), plan()
    tokens = {one.environ({}, None)["POINTSMAN_EVALUATIONS_TOKEN"] for one in (first, first, other)}
    assert len(tokens) == 2
    assert first.token not in repr(first)
    assert first.environ({"POINTSMAN_EVALUATIONS_TOKEN": "mine"}, None)["POINTSMAN_EVALUATIONS_TOKEN"] == "mine"
    assert first.environ({"POINTSMAN_EVALUATIONS_TOKEN": ""}, None)["POINTSMAN_EVALUATIONS_TOKEN"] == first.token


def test_decisions_go_where_the_operator_said() -> None:
    assert plan(decisions="stdout").decisions == "stdout"


def test_urls_can_be_reached_from_here() -> None:
    assert plan(host="0.0.0.0").url == "http://127.0.0.1:1"
    assert plan(host="::1").monitor_url == "http://[::1]:3"
