"""The pages of gateway and monitor in Chromium: every view, light and dark, on a desk and on a phone."""

import re
from typing import Any

from tests.page.support.stage import HOSTILE


def test_look_at_every_view(found: dict[str, Any]) -> None:
    assert len(found["looked"]) == (4 + 5) * 2


def test_have_no_serious_barrier(found: dict[str, Any]) -> None:
    assert found["accessibility"] == []


def test_fit_into_360_pixels(found: dict[str, Any]) -> None:
    assert found["width"] == []


def test_can_be_walked_by_keyboard(found: dict[str, Any]) -> None:
    assert found["keyboard"] == []


def test_break_no_policy_log_no_error_and_ask_nobody_else(found: dict[str, Any]) -> None:
    assert found["complaints"] == []


def test_run_nothing_that_clients_and_providers_say(found: dict[str, Any]) -> None:
    hostile = found["hostile"]
    assert (hostile["hacked"], hostile["elements"]) == (None, 0)
    assert HOSTILE in hostile["shown"]


def test_show_a_decision_as_it_is_made(found: dict[str, Any]) -> None:
    assert found["live"] == []


def test_say_what_is_wrong(found: dict[str, Any]) -> None:
    said = found["said"]
    assert re.search(r"(open|half-open).*sim-cheap/open-8b", said["attention"], re.DOTALL)
    assert re.search(r"rate-limited \d+ s\s+sim-claude/claude-sim-mid", said["attention"])
    assert HOSTILE in said["attention"]
    assert re.search(r"open", said["trouble"])


def test_say_what_was_spent_and_saved(found: dict[str, Any]) -> None:
    said = found["said"]
    assert re.match(r"\$\d", said["saved"])
    for route in ("default", "coding", "support-bot"):
        assert re.search(rf"{route}\s+[\d,]+\s+\$0\.\d+", said["routes"]), route


def test_set_the_variants_of_a_split_beside_each_other(found: dict[str, Any]) -> None:
    said = found["said"]["experiments"]
    assert re.search(r"coding\s+go on: ", said)
    for name, share in (("control", "80 %"), ("thinker", "20 %")):
        assert re.search(rf"{name}\s*{share}\s+\d+\s+\d+\s+\$0\.\d+\s+(between\s+)?\$0.* … \$0\.\d+", said), said
    assert "all intervals of the route together hold with 95 %, at any time" in said


def test_find_endpoints_and_draw_their_last_minutes(found: dict[str, Any]) -> None:
    said = found["said"]
    assert [" ".join(name.split()) for name in said["searched"]] == [
        "sim-claude/claude-sim-mid medium",
        "sim-claude/claude-sim-large large",
    ]
    assert said["sparks"] >= 6


def test_show_the_attempts_of_a_decision(found: dict[str, Any]) -> None:
    broken, answered = found["said"]["attempts"][0], found["said"]["attempts"][-1]
    assert re.search(r"sim-fast/open-70b.*server error.*status 502", broken, re.DOTALL)
    assert re.search(r"answered.*first token", answered, re.DOTALL)


def test_explain_a_request_without_sending_it(found: dict[str, Any]) -> None:
    explained = found["said"]["explained"]
    for words in ("default", "pii", "found in the text", "translation", "sim-private/open-70b", "sensitivity"):
        assert words in explained, words


def test_show_what_the_monitor_published(found: dict[str, Any]) -> None:
    assert "sim-cheap/open-8b" in found["said"]["monitor"]


def test_show_what_is_certified_and_what_was_withdrawn(found: dict[str, Any]) -> None:
    email, others, *_ = (" ".join(row.split()) for row in found["said"]["certificates"])
    assert re.match(r"default email large → medium at most 5 % worse, with 90 % confidence in force 300 0\.\d+", email)
    assert re.match(r"default all others large → medium .* withdrawn, \d+ of 118 – –", others)
    assert re.search(r"default\s+all others\s+large → medium\s+\d+ %\s+\d+\s+5\.0 %", found["said"]["withdrawn"])
