"""A ConfigMap's keys as files."""

import logging
from collections.abc import Iterable

import pytest

from gateway.edge.files import Change
from gateway.edge.kube.state import StateMap
from tests.support.kube import item


class Taken:
    def __init__(self) -> None:
        self.changes: list[Change] = []
        self.map = StateMap("health", lambda name: name.startswith("shard-"), self.take)

    def take(self, changes: Iterable[Change]) -> None:
        self.changes += changes


def test_reports_the_keys_that_changed_and_were_wanted() -> None:
    taken = Taken()
    taken.map.listed([item("health", "1", **{"shard-01": "b", "shard-00": "a", "note": "x"})])
    taken.map.changed(item("health", "2", **{"shard-01": "c", "shard-00": "a"}))
    taken.map.changed(item("health", "3", **{"shard-01": "c", "shard-00": "a"}))
    assert taken.changes == [Change("shard-00", b"a"), Change("shard-01", b"b"), Change("shard-01", b"c")]


def test_takes_nothing_from_a_map_without_data_or_with_other_things_in_it() -> None:
    taken = Taken()
    for data in (None, [], {"shard-00": 7}, {"shard-00": None}):
        taken.map.changed({"metadata": {"name": "health"}, "data": data})
    taken.map.changed({"metadata": {"name": "health"}})
    assert taken.changes == []


def test_hands_on_text_that_no_encoding_has_as_garbage() -> None:
    taken = Taken()
    taken.map.changed(item("health", "1", **{"shard-00": "\ud800"}))
    assert taken.changes == [Change("shard-00", b"?")]


def test_keeps_all_and_says_so_once_when_the_map_is_gone(caplog: pytest.LogCaptureFixture) -> None:
    taken = Taken()
    with caplog.at_level(logging.WARNING):
        taken.map.listed([])
        taken.map.changed(item("health", "1", **{"shard-00": "a"}))
        taken.map.deleted(item("health", "2"))
        taken.map.listed([])
    gone = "there is no ConfigMap health; the last state stays"
    assert [record.getMessage() for record in caplog.records] == [gone, gone]
    assert taken.changes == [Change("shard-00", b"a")]


def test_reports_what_came_back_after_the_map_was_gone_where_it_is_new() -> None:
    taken = Taken()
    taken.map.changed(item("health", "1", **{"shard-00": "a"}))
    taken.map.deleted(item("health", "2"))
    taken.map.changed(item("health", "3", **{"shard-00": "a", "shard-01": "b"}))
    assert taken.changes == [Change("shard-00", b"a"), Change("shard-01", b"b")]
