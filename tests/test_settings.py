"""Settings of the process from the environment."""

from pathlib import Path

import pytest

from gateway.settings import Settings, SettingsError, read_settings


@pytest.fixture(autouse=True)
def _clean_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in Settings.model_fields:
        monkeypatch.delenv(f"POINTSMAN_{name.upper()}", raising=False)
    monkeypatch.chdir(tmp_path)


def test_the_defaults_are_those_of_a_laptop() -> None:
    settings = read_settings()
    assert (settings.host, settings.port, settings.admin_port, settings.monitor_port) == ("127.0.0.1", 8080, 9090, 9091)
    assert (settings.decisions, settings.state_dir, settings.kubernetes) == ("stdout", None, "auto")
    assert (settings.drain_delay_s, settings.drain_s) == (0.0, 3600.0)


def test_the_command_line_wins_over_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("POINTSMAN_PORT", "1")
    monkeypatch.setenv("POINTSMAN_ADMIN_PORT", "2")
    settings = read_settings({"port": 3})
    assert (settings.port, settings.admin_port) == (3, 2)


def test_reads_lists_words_and_paths(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("POINTSMAN_GATEWAYS", "http://a:9090, http://b:9090,")
    monkeypatch.setenv("POINTSMAN_LOG_LEVEL", "INFO")
    monkeypatch.setenv("POINTSMAN_PRICES_LITELLM_URL", "")
    monkeypatch.setenv("POINTSMAN_STATE_DIR", "/state")
    settings = read_settings()
    assert (settings.gateways, settings.log_level) == (("http://a:9090", "http://b:9090"), "info")
    assert (settings.prices_litellm_url, settings.state_dir) == ("", Path("/state"))


def test_the_link_that_kubernetes_writes_beside_a_service_of_our_name_is_no_setting(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("POINTSMAN_PORT", "tcp://10.96.192.65:8080")
    assert read_settings().port == 8080


def test_names_every_variable_that_cannot_be_used(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("POINTSMAN_PORT", "70000")
    monkeypatch.setenv("POINTSMAN_KUBERNETES", "maybe")
    monkeypatch.setenv("POINTSMAN_GATEWAYS", "http://a,b")
    monkeypatch.setenv("POINTSMAN_DRAIN_S", "inf")
    with pytest.raises(SettingsError) as refused:
        read_settings()
    assert str(refused.value).splitlines() == [
        'POINTSMAN_PORT: "70000" cannot be used: it must be less than or equal to 65535',
        "POINTSMAN_KUBERNETES: \"maybe\" cannot be used: it must be 'auto', 'on' or 'off'",
        'POINTSMAN_DRAIN_S: "inf" cannot be used: it must be a finite number',
        'POINTSMAN_GATEWAYS: "b" cannot be used: it must be a URL that begins with http:// or https://',
    ]


def test_the_file_is_the_one_named_or_the_one_here_or_none(monkeypatch: pytest.MonkeyPatch) -> None:
    assert read_settings().config_path() is None
    Path("pointsman.yaml").write_text("{}")
    assert read_settings().config_path() == Path("pointsman.yaml")
    monkeypatch.setenv("POINTSMAN_CONFIG", "/other.yaml")
    assert read_settings().config_path() == Path("/other.yaml")


def test_a_stray_dotenv_file_decides_nothing() -> None:
    Path(".env").write_text("POINTSMAN_PORT=1\n")
    assert read_settings().port == 8080
