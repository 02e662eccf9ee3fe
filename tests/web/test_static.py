"""What the pages have in common is written in each of them; here it is kept the same."""

import re

import pytest

from gateway.edge.assets import load_assets

PAGES = ("index.html", "monitor.html", "evaluate.html")
OWN = re.compile(r"<title>|<script |evaluate\.css")  # lines of a head that differ from page to page


def text_of(page: str) -> str:
    return load_assets()[page].body.decode()


def between(page: str, start: str, end: str) -> list[str]:
    """The lines of a page from one that begins with `start` up to one that begins with `end`, without blanks."""
    lines = [line.strip() for line in text_of(page).splitlines()]
    first = next(at for at, line in enumerate(lines) if line.startswith(start))
    return lines[first + 1 : next(at for at in range(first, len(lines)) if lines[at].startswith(end))]


@pytest.mark.parametrize("page", PAGES[1:])
def test_pages_have_the_same_head(page: str) -> None:
    heads = [[line for line in between(one, "<html", '<div class="brand">') if not OWN.search(line)] for one in PAGES]
    assert heads[PAGES.index(page)] == heads[0]


def test_the_page_for_scoring_leads_to_every_view_of_the_monitors() -> None:
    views = re.findall(r'<a href="(#\w+)">([^<]+)</a>', "".join(between("monitor.html", "<nav", "</nav>")))
    there = re.findall(r'<a href="\./(#\w+)">([^<]+)</a>', "".join(between("evaluate.html", "<nav", "</nav>")))
    assert there == views != []
