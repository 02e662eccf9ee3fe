"""docs/metrics.md is what the registries of both processes tell."""

from scripts.metrics_page import PAGE, page


def test_the_page_in_the_repository_is_up_to_date() -> None:
    assert PAGE.read_text(encoding="utf-8") == page(), "python -m scripts.metrics_page --write"
