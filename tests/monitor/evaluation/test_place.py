"""Where the store is."""

from pathlib import Path

import pytest

from gateway.settings import Settings
from monitor.evaluation.place import SECRET, StorePlace, place_of
from monitor.evaluation.store import StoreError


def test_what_the_operator_says_wins(tmp_path: Path) -> None:
    secret = tmp_path / "url"
    secret.write_text("postgresql://u:hidden@db/p\n")
    assert StorePlace("sqlite:///mine", secret, tmp_path).url() == "sqlite:///mine"
    assert StorePlace("", secret, tmp_path).url() == "postgresql://u:hidden@db/p"
    assert StorePlace("", tmp_path / "none", tmp_path / "state").url() == f"{tmp_path}/state/evaluations.sqlite"
    assert (tmp_path / "state").is_dir()


def test_says_what_is_missing(tmp_path: Path) -> None:
    unreadable = tmp_path / "binary"
    unreadable.write_bytes(b"\xff")
    (tmp_path / "file").write_text("")
    for place, words in (
        (StorePlace("", tmp_path / "none", None), "set POINTSMAN_EVALUATIONS"),
        (StorePlace("", unreadable, tmp_path), "binary cannot be read: UnicodeDecodeError"),
        (StorePlace("", tmp_path / "none", tmp_path / "file"), "file cannot be made"),
    ):
        with pytest.raises(StoreError, match=words):
            place.url()


def test_tells_whether_there_may_be_texts_from_before(tmp_path: Path) -> None:
    place = StorePlace("", tmp_path / "none", tmp_path)
    assert not place.used()
    (tmp_path / "evaluations.sqlite").write_text("")
    assert place.used()
    assert StorePlace("postgresql://db/p", tmp_path / "none", None).used()
    assert not StorePlace("", tmp_path / "none", None).used()


def test_never_shows_the_url(tmp_path: Path) -> None:
    settings = Settings.model_validate({"evaluations": "postgresql://u:hidden@db/p", "state_dir": tmp_path})
    place = place_of(settings)
    assert (place.url(), place.secret, place.state_dir) == ("postgresql://u:hidden@db/p", SECRET, tmp_path)
    assert "hidden" not in f"{settings!r} {place!r} {settings.model_dump()}"
