"""What is known to be said against the chart: explained, matched by object and way, and gone when no longer needed."""

from pathlib import Path

import pytest

from scripts.chart.exemptions import Exemptions
from scripts.chart.opinions import Opinion

FILE = Path(__file__).parents[2] / "scripts" / "chart" / "exemptions.yaml"


def test_the_projects_own_are_explained() -> None:
    Exemptions.read(FILE)


def test_one_without_a_reason_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "exemptions.yaml"
    file.write_text("- {checks: [checkov/A], objects: ['*']}\n")
    with pytest.raises(ValueError, match="says why"):
        Exemptions.read(file)


def test_speaks_of_its_own_check_object_and_way_alone() -> None:
    entry = {"checks": ["checkov/A"], "objects": ["Pod/test-*"], "only": "full", "why": "because"}
    exempt = Exemptions([entry])
    assert not exempt.covers(Opinion("checkov/B", "Pod/test-1", ""), "full")
    assert not exempt.covers(Opinion("checkov/A", "Pod/other", ""), "full")
    assert not exempt.covers(Opinion("checkov/A", "Pod/test-1", ""), "default")
    assert list(exempt.unused()) == ["exemptions.yaml: checkov/A for Pod/test-* is no longer needed"]
    assert exempt.covers(Opinion("checkov/A", "Pod/test-1", ""), "full")
    assert list(exempt.unused()) == []
