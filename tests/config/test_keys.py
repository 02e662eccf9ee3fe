"""One key, from its file or its variable."""

import os
from pathlib import Path

import pytest

from gateway.config.keys import MAX_KEY_BYTES, key_present, read_key
from gateway.core.catalog import KeyRef


def test_prefers_the_file_and_falls_back_to_the_variable(tmp_path: Path) -> None:
    ref = KeyRef(file=str(tmp_path / "key"), env="KEY")
    assert read_key(ref, {"KEY": "from-env"}) == "from-env"
    (tmp_path / "key").write_text("from-file\n")
    assert read_key(ref, {"KEY": "from-env"}) == "from-file"
    assert read_key(ref, {}) == "from-file"


def test_there_is_none_where_none_is_asked_for() -> None:
    assert read_key(KeyRef(none=True, env="KEY"), {"KEY": "x"}) is None


@pytest.mark.parametrize("value", ["", " \n", "a\nb", "a\x00b", "schlüssel", "x" * (MAX_KEY_BYTES + 1)])
def test_takes_nothing_that_could_not_be_sent(tmp_path: Path, value: str) -> None:
    path = tmp_path / "key"
    path.write_text(value)
    assert not key_present(KeyRef(file=str(path)), {})
    assert not key_present(KeyRef(env="KEY"), {"KEY": value})


def test_a_pipe_or_directory_is_no_key_and_does_not_block(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    assert read_key(KeyRef(file=str(tmp_path / "pipe")), {}) is None
    assert read_key(KeyRef(file=str(tmp_path)), {}) is None
