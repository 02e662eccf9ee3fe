"""The last decisions, kept for the admin port, and told live."""

import json
from collections.abc import Iterable

from msgspec.structs import replace

from gateway.core.decision import Decision
from gateway.core.record import record
from gateway.edge.lines import Lines
from gateway.web.live import DECISIONS_MAX, Live
from gateway.web.recent import Filter, Recent, row
from tests.support.decisions import ANSWERED

EVERY = Filter()


def numbered(*numbers: int) -> list[Decision]:
    return [replace(ANSWERED, id=f"{number:016}") for number in numbers]


def filled(decisions: Iterable[Decision], recent: Recent | None = None) -> Recent:
    recent, lines = recent or Recent(), Lines()
    for one in decisions:
        recent.add(lines.line(one))
    return recent


def test_keeps_the_newest() -> None:
    recent = filled(numbered(1, 2, 3, 4), Recent(room=3))
    assert [int(one["id"]) for one in recent.pick(EVERY, 10)] == [4, 3, 2]
    assert recent.total == 4
    assert recent.find(numbered(4)[0].id) == record(numbered(4)[0])
    assert recent.find(numbered(1)[0].id) is None


def test_a_row_says_what_the_record_says() -> None:
    shown = row(record(ANSWERED))
    assert shown.items() <= record(ANSWERED).items()
    assert {"candidates", "excluded", "tags", "prompt_hash"} & set(shown) == set()


def live(recent: Recent) -> Live:
    told = Live(dict, recent, lambda: 0.0)
    told.begin()
    list(told.news())  # the overview
    return told


def ids(told: Live) -> list[int]:
    return [int(json.loads(event.data)["id"]) for event in told.news() if event.name == "decision"]


def test_tells_each_decision_once_in_their_order() -> None:
    recent = filled(numbered(1))
    told = live(recent)
    filled(numbered(2, 3), recent)
    assert (ids(told), ids(told)) == ([2, 3], [])
    filled(numbered(4), recent)
    assert ids(told) == [4]


def test_tells_the_newest_of_more_than_can_be_read() -> None:
    recent = Recent(room=500)
    told = live(recent)
    filled(numbered(*range(1_000)), recent)
    assert ids(told) == list(range(1_000 - DECISIONS_MAX, 1_000))


def test_half_an_emoji_of_a_provider_breaks_nothing() -> None:
    recent = Recent()
    told = live(recent)
    filled([replace(ANSWERED, error="\ud83d")], recent)
    assert [one["error"] for one in recent.pick(EVERY, 1)] == ["\ud83d"]
    assert json.loads(next(iter(told.news())).data)["error"] == "\ud83d"
