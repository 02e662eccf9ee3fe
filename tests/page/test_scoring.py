"""The scoring page in Chromium: by key and by button, light and dark, on a phone, under hostile answers."""

import asyncio
import os
from pathlib import Path
from typing import Any

import pytest

from tests.page.support.browser import SHOTS, drive
from tests.page.support.scoring import scoring
from tests.page.support.texts import ENDLESS, GENERAL, HOSTILE, MARKDOWN, QUESTION, STREAMED

PLAIN = 8  # pairs to be judged, after the first one, which is for looking at
GAINS = {"lower": -1.0, "upper": 1.0}


@pytest.fixture(scope="module")
def scored(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What the browser found, by topic, and what the store then held: gains by prompt."""
    return asyncio.run(_scored(tmp_path_factory.mktemp("store"), tmp_path_factory.mktemp("browser")))


async def _scored(folder: Path, browser: Path) -> dict[str, Any]:
    async with scoring(folder) as running:
        running.add(QUESTION, GENERAL, STREAMED)
        for number in range(PLAIN):
            running.add(f"prompt {number}", f"lower: {number}", f"upper: {number}")
        for number, text in enumerate(HOSTILE):
            running.add(f"hostile {number} {text[:500]}", text, f"{text} again")
        asked = {
            "url": running.url, "plain": PLAIN, "hostile": len(HOSTILE), "markdown": [text for text, _ in MARKDOWN],
            "endless": ENDLESS, "shots": os.environ.get(SHOTS),
        }  # fmt: skip
        found = await drive("scoring.mjs", asked, browser)
        found["gains"] = {int(one.facts.decision, 16): one.gain for one in running.store.judged()}
        return found


def test_looks_at_every_state(scored: dict[str, Any]) -> None:
    assert scored["looked"] == [f"{state}, {look}" for state in ("name", "pair", "done") for look in ("light", "dark")]


def test_has_no_serious_barrier(scored: dict[str, Any]) -> None:
    assert scored["accessibility"] == []


def test_fits_into_360_pixels(scored: dict[str, Any]) -> None:
    assert scored["width"] == []


def test_stores_what_a_key_meant_whichever_way_the_answers_stood(scored: dict[str, Any]) -> None:
    meant = {}
    for one in scored["judged"]:
        if one["verdict"] in ("left", "right"):
            meant[one["number"]] = GAINS[one[one["verdict"]].partition(":")[0]]
        elif one["verdict"] != "skip":
            meant[one["number"]] = 0.0
    assert len(meant) == PLAIN - 1
    assert {number - 1: gain for number, gain in scored["gains"].items() if 1 <= number <= PLAIN} == meant


def test_replaces_the_last_verdict_and_comes_back(scored: dict[str, Any]) -> None:
    undone = scored["undone"]
    assert undone["shown"] == undone["before"]
    assert undone["said"] == "pair 2, changing your verdict"
    assert undone["pressed"] == "left"
    assert undone["after"] == undone["waited"]


def test_moves_focus_and_tells_what_happened(scored: dict[str, Any]) -> None:
    assert scored["focus"] == ["pair-title", "Answer 1 better. Pair 3."]


def test_takes_no_key_that_is_meant_for_something_else(scored: dict[str, Any]) -> None:
    assert scored["stray"] == []


def test_runs_nothing_that_an_answer_says_and_keeps_its_shape(scored: dict[str, Any]) -> None:
    assert scored["hostile"] == {"seen": len(HOSTILE), "hacked": None, "elements": [], "wide": []}


def test_shows_markdown(scored: dict[str, Any]) -> None:
    assert dict(zip([text for text, _ in MARKDOWN], scored["markdown"], strict=True)) == dict(MARKDOWN)


def test_reads_any_text_in_bounded_time_and_loses_none_of_its_words(scored: dict[str, Any]) -> None:
    assert scored["endless"] == len(ENDLESS)


def test_finds_new_pairs_when_there_was_none(scored: dict[str, Any]) -> None:
    assert scored["more"] == "One more"


def test_counts_what_this_scorer_judged(scored: dict[str, Any]) -> None:
    assert scored["tally"] == f"Ann, {1 + PLAIN - 1 + len(HOSTILE)} scored"  # one was skipped


def test_asks_for_the_name_once(scored: dict[str, Any]) -> None:
    assert scored["remembered"] == "Ann, 0 scored"


def test_keeps_the_pair_where_a_verdict_could_not_be_sent(scored: dict[str, Any]) -> None:
    failed = scored["failed"]
    assert failed["before"] == failed["after"]
    assert "Nothing was lost; try again." in failed["said"]


def test_breaks_no_policy_logs_no_error_and_asks_nobody_else(scored: dict[str, Any]) -> None:
    assert scored["complaints"] == []
