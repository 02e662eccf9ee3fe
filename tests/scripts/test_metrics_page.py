"""docs/metrics.md is what the registries of both processes tell, and names follow the rules of Prometheus."""

import asyncio
import re
import shutil
import subprocess
from collections.abc import Iterable
from enum import StrEnum

import pytest
from prometheus_client import generate_latest

from gateway.core import screen
from gateway.core.breaker import State
from gateway.core.decision import Outcome
from gateway.core.failure import FailureKind
from monitor.price_sources import Source
from monitor.probe import Finding, Means, Wanted
from scripts.metrics_page import LABELS, PAGE, Row, meaning, page, registries, rows

UNITS = {"seconds": ("second", "Unix time"), "usd": ("USD",), "bytes": ("bytes",), "ratio": ("0 to 1",)}
FOREIGN_UNITS = re.compile(r"_(ms|s|millis\w*|minutes|hours|kb|mb|percent|cents|dollars|count|sum|bucket|created)$")
PERSONAL = {"user", "key", "key_id", "session", "tag", "tags", "prompt", "id", "trace_id", "tenant", "ip", "client"}


@pytest.fixture(scope="module")
def both() -> tuple[list[Row], list[Row]]:
    gateway, monitor = asyncio.run(registries())
    return rows(gateway), rows(monitor)


@pytest.fixture(scope="module")
def ours(both: tuple[list[Row], list[Row]]) -> list[Row]:
    return [row for one in both for row in one if row.name.startswith("pointsman_")]


def test_the_page_in_the_repository_is_up_to_date() -> None:
    assert PAGE.read_text(encoding="utf-8") == page(), "python -m scripts.metrics_page --write"


def test_no_family_is_shown_twice(both: tuple[list[Row], list[Row]]) -> None:
    for one in both:
        names = [row.name for row in one]
        assert sorted(names) == sorted(set(names))


def test_a_family_of_both_processes_is_the_same_in_both(both: tuple[list[Row], list[Row]]) -> None:
    gateway, monitor = ({row.name: (row.kind, row.labels) for row in one} for one in both)
    shared = gateway.keys() & monitor.keys()
    assert {name: gateway[name] for name in shared} == {name: monitor[name] for name in shared}
    assert {"pointsman_breaker_state", "pointsman_event_loop_lag_seconds", "process_cpu_seconds_total"} <= shared


def test_names_are_plain_and_say_their_base_unit_last(ours: list[Row]) -> None:
    for row in ours:
        assert re.fullmatch(r"pointsman(_[a-z]+)+", row.name), row.name
        base = row.name.removesuffix("_total")
        assert not base.endswith("_total"), row.name
        assert (row.kind == "counter") == (base != row.name), row.name
        assert not FOREIGN_UNITS.search(base), row.name
        for unit in UNITS.keys() & set(base.split("_")):
            assert base.endswith(f"_{unit}") or "_usd_per_" in base, row.name
        assert row.kind != "histogram" or base.endswith("_seconds"), row.name


def test_help_tells_the_unit_in_whole_sentences(ours: list[Row]) -> None:
    for row in ours:
        assert re.fullmatch(r"[A-Z0-9].*\.", row.help), row.name
        for unit, words in UNITS.items():
            if f"_{unit}" in row.name:
                assert any(word in row.help for word in words), row.name


def test_labels_are_nobodys_and_explained(ours: list[Row]) -> None:
    used = set()
    for row in ours:
        assert not PERSONAL & set(row.labels), row.name
        assert "le" not in row.labels
        assert "model" not in row.labels or row.name == "pointsman_endpoint_info"  # with its endpoint, it adds nothing
        for label in row.labels:
            assert meaning(label, row)
            own = f"{label} of {row.name.removesuffix('_total')}"
            used.add(own if own in LABELS else label)
    assert used == LABELS.keys(), "what nobody uses is not explained"


@pytest.mark.parametrize(
    ("label", "words"),
    [
        ("outcome", Outcome), ("outcome of pointsman_attempts", FailureKind), ("finding", Finding), ("means", Means),
        ("source", Source), ("from", State), ("to", State),
        ("reason of pointsman_probes_skipped", set(Wanted) - {Wanted.YES}),
    ],
)  # fmt: skip
def test_explanations_name_every_word(label: str, words: Iterable[StrEnum]) -> None:
    assert [word.value for word in words if f"`{word.value}`" not in LABELS[label]] == []


def test_the_reasons_of_exclusions_are_explained() -> None:
    codes = {value for name, value in vars(screen).items() if name.isupper() and isinstance(value, str)}
    told = LABELS["reason of pointsman_exclusions"]
    assert [code for code in codes if not code.startswith("capability:") and f"`{code}`" not in told] == []


@pytest.mark.skipif(shutil.which("promtool") is None, reason="promtool (Debian package prometheus) is not installed")
def test_promtool_has_nothing_to_say() -> None:
    for registry in asyncio.run(registries()):
        said = subprocess.run(["promtool", "check", "metrics"], input=generate_latest(registry), capture_output=True)
        assert (said.returncode, said.stdout + said.stderr) == (0, b"")
