"""What the chart ships is what the code makes."""

from pathlib import Path

from scripts.observability.made import files, main, stale


def test_the_charts_files_are_up_to_date() -> None:
    assert [path.name for path in stale(files())] == []


def test_is_made_alike_each_time() -> None:
    assert files() == files()


def test_a_file_that_nobody_makes_is_out_of_date() -> None:
    made = files()
    odd: Path = next(iter(made))
    assert stale({path: text for path, text in made.items() if path != odd}) == [odd]


def test_a_check_of_what_is_up_to_date_says_nothing() -> None:
    assert main(["--check"]) == 0
