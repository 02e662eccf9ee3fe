"""Families of samples, made of rows that are finer than they are."""

import pytest
from prometheus_client.core import Exemplar, Sample

from gateway.edge.families import Cells, count, counter, gauge, histogram, level, no_cells, observe

BOUNDS = (0.5, 1.0)


def buckets(exemplars: list[Exemplar | None], *totals: float) -> list[Sample]:
    names = ("0.5", "1.0", "+Inf")
    return [
        Sample("seconds_bucket", {"route": "r", "le": name}, total, None, exemplar)
        for name, total, exemplar in zip(names, totals, exemplars, strict=True)
    ]


def test_sums_counters_of_the_same_labels() -> None:
    family = counter("done", "Done.", ("route",), [(("r",), 1), (("q",), 2), (("r",), 3)])
    assert family.samples == [Sample("done_total", {"route": "r"}, 4), Sample("done_total", {"route": "q"}, 2)]
    assert (family.type, family.documentation, family.labels) == ("counter", "Done.", ("route",))


def test_shows_what_has_no_labels() -> None:
    assert count("done", "Done.", 3).samples == [Sample("done_total", {}, 3)]
    assert level("age_seconds", "Age.", 0).samples == [Sample("age_seconds", {}, 0)]


def test_knows_its_labels_before_it_has_a_sample() -> None:
    for family in (
        counter("done", "Done.", ("route",), []),
        gauge("state", "State.", ("route",), {}),
        histogram("seconds", "Times.", ("route",), BOUNDS, []),
    ):
        assert (family.labels, family.samples) == (("route",), [])
    assert level("age_seconds", "Age.", None).samples == []


def test_sums_histograms_of_the_same_labels_and_adds_up_their_buckets() -> None:
    one, other = no_cells(BOUNDS), no_cells(BOUNDS)
    places = [observe(cells, BOUNDS, value) for cells, value in ((one, 0.5), (one, 7.0), (other, 0.6))]
    family = histogram("seconds", "Times.", ("route",), BOUNDS, [(("r",), one, {}), (("r",), other, {})])
    assert places == [0, 2, 1]
    assert family.samples == [
        *buckets([None, None, None], 1, 2, 3),
        Sample("seconds_count", {"route": "r"}, 3),
        Sample("seconds_sum", {"route": "r"}, pytest.approx(8.1)),
    ]


def test_shows_the_youngest_exemplar_of_each_bucket() -> None:
    old, young, alone = (Exemplar({"trace_id": id_}, 0.6, at_s) for id_, at_s in (("a", 10.0), ("b", 20.0), ("c", 5.0)))
    rows = [(("r",), no_cells(BOUNDS), {1: young}), (("r",), no_cells(BOUNDS), {1: old, 2: alone})]
    family = histogram("seconds", "Times.", ("route",), BOUNDS, rows)
    assert family.samples[:3] == buckets([None, young, alone], 0, 0, 0)


def test_counts_what_happens_seldom() -> None:
    by_file, all_ = Cells("errors", "Errors.", ("file",)), Cells("errors", "Errors.", ())
    assert (by_file.family().samples, all_.family().samples) == ([], [Sample("errors_total", {}, 0)])
    by_file.add(("a",))
    by_file.add(("a",), 2)
    assert by_file.family().samples == [Sample("errors_total", {"file": "a"}, 3)]
