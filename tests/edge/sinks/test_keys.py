"""Keys of sinks."""

from pathlib import Path

from gateway.edge.sinks.keys import SinkKey


def test_reads_a_file_again_and_prefers_it_to_the_variable(tmp_path: Path) -> None:
    key = SinkKey("helicone", "api-key", "HELICONE_API_KEY", {"HELICONE_API_KEY": "sk-variable"}, str(tmp_path))
    found = [key.read()]
    (tmp_path / "helicone").mkdir()
    for text in ("sk-file\n", "sk-newer\n"):
        (tmp_path / "helicone" / "api-key").write_text(text)
        found.append(key.read())
    assert found == ["sk-variable", "sk-file", "sk-newer"]
    assert key.file == f"{tmp_path}/helicone/api-key"


def test_has_none_where_there_is_none_that_could_be_sent(tmp_path: Path) -> None:
    (tmp_path / "webhook").mkdir()
    (tmp_path / "webhook" / "token").write_text("two\nlines")
    key = SinkKey("webhook", "token", "POINTSMAN_WEBHOOK_TOKEN", {}, str(tmp_path))
    assert key.read() is None


def test_never_shows_a_variable() -> None:
    assert "sk-secret" not in repr(SinkKey("webhook", "token", "TOKEN", {"TOKEN": "sk-secret"}))
