"""`pointsman experiment`: what a log shows of the variants of a split."""

import gzip
import random
from pathlib import Path
from typing import Any

import orjson
import pytest

from gateway.cli import experiment as command
from gateway.cli.main import main
from gateway.core.record import feedback

CONFIG = """
providers:
  here: {api: openai, base_url: "http://127.0.0.1:9/v1", key: {none: true}, models: [{id: s, tier: small}]}
routes:
  - {name: arms, match: {model: ["auto"]}, split: [{name: control, weight: 50}, {name: candidate, weight: 50}]}
  - {name: default}
"""


def rows(requests: int = 6_000, share: float = 0.5, cheap: float = 0.4) -> list[dict[str, Any]]:
    """Requests of one session each, with feedback after them."""
    rng, found = random.Random(11), []
    for number in range(requests):
        name = "candidate" if rng.random() < share else "control"
        usd = rng.uniform(0.5, 1.5) * 1e-3 * (cheap if name == "candidate" else 1.0)
        found.append({
            "id": f"{number:x}", "session_hash": f"{number:x}", "route": "arms", "variant": name, "cost_usd": usd,
            "latency_ms": rng.uniform(100, 900), "ttft_ms": rng.uniform(50, 300),
            "outcome": "failed" if rng.random() < 0.01 else "ok",
        })  # fmt: skip
        if rng.random() < 0.1:
            found.append(feedback(f"{number:x}", rng.choice((1.0, -1.0)), None, 0.0))
    return [*found, {"id": "x", "route": "arms", "variant": "control", "outcome": "cancelled"}, {"outcome": "ok"}]


@pytest.fixture
def run(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Any:
    """Runs the command on these records."""
    config, log = tmp_path / "pointsman.yaml", tmp_path / "log.jsonl.gz"
    config.write_text(CONFIG)

    def ran(records: list[dict[str, Any]], *options: str, route: str = "arms") -> tuple[int, str, str]:
        log.write_bytes(gzip.compress(b"".join(orjson.dumps(row) + b"\n" for row in records)))
        code = main(["experiment", route, str(log), "--config", str(config), *options])
        told = capsys.readouterr()
        return code, told.out, told.err

    return ran


def test_tells_programs_every_interval_and_whether_to_stop(run: Any) -> None:
    code, out, _ = run(rows(), "--json", "--tolerance", "0.05")
    told = orjson.loads(out)
    assert (code, told["stop"], told["better"]) == (0, True, "candidate")
    assert told["sample_ratio"]["refuted"] is False
    arms = told["variants"]
    assert arms["control"]["requests"] + arms["candidate"]["requests"] == 6_000
    for name, mean in (("control", 1e-3), ("candidate", 0.4e-3)):
        low, high = arms[name]["cost_usd"]["interval"]
        assert low < mean < high
        assert -1 <= arms[name]["feedback"]["interval"][0] < 0 < arms[name]["feedback"]["interval"][1] <= 1
    assert told["failure_excess_at_most"] <= 0.05


def test_tells_people(run: Any) -> None:
    code, out, _ = run(rows(), "--tolerance", "0.05")
    assert code == 0
    for text in ("candidate: ", "Sample ratio: as configured", "Stop: candidate is cheaper per request", "first token"):
        assert text in out


def test_a_wrong_ratio_never_stops(run: Any) -> None:
    code, out, _ = run(rows(share=0.4))
    assert code == 0
    assert "NOT as configured" in out
    assert "Go on: " in out


def test_few_requests_decide_nothing(run: Any) -> None:
    code, out, _ = run(rows(50))
    assert code == 0
    assert "too few requests" in out


def test_a_route_without_a_split_is_named(run: Any) -> None:
    code, _, error = run([{"route": "default", "outcome": "ok"}], route="default")
    assert code == 1
    assert "no request of a variant on route default" in error


def test_variants_that_the_configuration_lacks_have_no_ratio(run: Any) -> None:
    renamed = [{**row, "route": "old"} if "route" in row else row for row in rows()]
    code, out, _ = run(renamed, "--json", "--tolerance", "0.05", route="old")
    told = orjson.loads(out)
    assert (code, told["sample_ratio"], told["better"]) == (0, None, "candidate")


def test_asks_a_gateway_where_no_log_is_given(monkeypatch: pytest.MonkeyPatch, capsys: Any, tmp_path: Path) -> None:
    class Port:
        def __init__(self, url: str, *_: Any) -> None:
            self.url = url

        def newest(self) -> Any:
            return iter([row for row in rows(300)[::-1] if "variant" in row])

    monkeypatch.setattr(command, "AdminPort", Port)
    monkeypatch.chdir(tmp_path)
    assert main(["experiment", "arms", "--url", "http://gateway.test:9090"]) == 0
    assert "candidate" in capsys.readouterr().out


def test_a_log_that_is_not_there_is_named(capsys: Any, tmp_path: Path) -> None:
    (tmp_path / "c.yaml").write_text(CONFIG)
    assert main(["experiment", "arms", str(tmp_path / "no.jsonl"), "--config", str(tmp_path / "c.yaml")]) == 1
    assert "no.jsonl cannot be read" in capsys.readouterr().err


@pytest.mark.parametrize("value", ["0", "1", "2"])
def test_a_confidence_lies_between_nothing_and_certainty(value: str, capsys: Any) -> None:
    with pytest.raises(SystemExit):
        main(["experiment", "arms", "x", "--confidence", value])
    assert "must lie between 0 and 1" in capsys.readouterr().err
