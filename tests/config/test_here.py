"""The configuration of this very machine."""

from pathlib import Path

import pytest

from gateway.config.here import known_here, load_here, read_config
from gateway.config.problems import ConfigError
from tests.support.configs import TODAY


def test_the_packaged_catalog_serves_whoever_has_a_key() -> None:
    compiled = load_here(None, known_here(None, TODAY, {"OPENAI_API_KEY": "x", "DEEPSEEK_API_KEY": "y"}))
    assert set(compiled.policy.catalog.providers) == {"openai", "deepseek"}
    assert "openai/gpt-4o" in compiled.policy.catalog.endpoints
    assert compiled.warnings == ()


def test_reads_the_file_it_is_given(tmp_path: Path) -> None:
    path = tmp_path / "pointsman.yaml"
    path.write_text("routes: [{name: mine}]")
    assert [route.name for route in load_here(path, known_here(None, TODAY, {})).policy.routes] == ["mine"]


def test_says_which_file_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"nowhere\.yaml: cannot be read: No such file or directory"):
        read_config(tmp_path / "nowhere.yaml")
