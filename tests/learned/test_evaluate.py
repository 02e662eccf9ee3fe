"""On the real data sets, where they are at hand."""

from pathlib import Path

import duckdb
import orjson
import pytest

from scripts.router.data import GOLD, USUAL, NoData, folder, pairs
from scripts.router.evaluate import main

HERE = (USUAL / f"{GOLD}.parquet").is_file()
needs_data = pytest.mark.skipif(not HERE, reason="the routing data sets are not beside this repository")


@needs_data
def test_gold_prompts_alone_tell_unseen_ones_of_their_kind(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Half of the gold prompts stand in for those that nobody trained on."""
    gold = USUAL / f"{GOLD}.parquet"
    half = "hash(prompt) % 2"
    for name, which in ((f"{GOLD}.parquet", 0), ("unseen.parquet", 1)):
        chosen = f"(select * from '{gold}' where {half} = {which})"
        duckdb.execute(f"copy {chosen} to '{tmp_path / name}' (format parquet)")
    (tmp_path / "words128_int8.npz").write_bytes((USUAL / "words128_int8.npz").read_bytes())
    assert main(["--data", str(tmp_path), "--eval", str(tmp_path / "unseen.parquet"), "--json"]) == 0
    (row,) = orjson.loads(capsys.readouterr().out)
    assert row["trained_on"].endswith(f"prompts of {GOLD}")
    assert 600 < row["result"]["prompts"] < 1000
    assert row["result"]["apgr"] > 0.58, "with half the labels; 0.65 with four fifths"


@needs_data
def test_what_is_among_the_gold_prompts_is_not_asked_again(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--eval", str(USUAL / f"{GOLD}.parquet"), "--json"]) == 0
    assert orjson.loads(capsys.readouterr().out) == []


def test_without_data_it_says_where_it_looked(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--data", str(tmp_path)]) == 1
    assert f"no routing data at {tmp_path}; say --data DIRECTORY" in capsys.readouterr().err
    with pytest.raises(NoData):
        folder(tmp_path)


def test_a_file_that_is_none_is_refused_in_one_line(tmp_path: Path) -> None:
    file = tmp_path / "x.parquet"
    file.write_text("no parquet")
    with pytest.raises(NoData, match=r"x\.parquet cannot be read: "):
        pairs(file)


def test_a_file_without_both_models_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "one.parquet"
    rows = "select 'd' as dataset, 'p' as prompt, 1.0 as score, 'weak' as tier, 'weak' as pair, '' as note"
    duckdb.execute(f"copy ({rows}) to '{file}' (format parquet)")
    with pytest.raises(NoData, match="holds no prompt with scores of both"):
        pairs(file)
