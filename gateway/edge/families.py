"""Families of samples, as Prometheus reads them: counters, gauges, histograms.

Each knows its labels, so that it can be shown and documented before it has a sample. Values of the same labels are
summed, so a row may be finer than the family that is made of it. Used by both processes.
"""

from bisect import bisect_left
from collections.abc import Iterable, Mapping
from itertools import accumulate

from prometheus_client.core import CounterMetricFamily, Exemplar, GaugeMetricFamily, HistogramMetricFamily
from prometheus_client.utils import floatToGoString

Labels = tuple[str, ...]
Values = Mapping[Labels, float]  # by label values
Bounds = tuple[float, ...]  # upper bounds of a histogram's buckets, ascending, without infinity
Exemplars = Mapping[int, Exemplar]  # by place of the bucket


class Counter(CounterMetricFamily):
    def __init__(self, name: str, help_text: str, labels: Labels) -> None:
        super().__init__(name, help_text, labels=labels)
        self.labels = labels


class Gauge(GaugeMetricFamily):
    def __init__(self, name: str, help_text: str, labels: Labels) -> None:
        super().__init__(name, help_text, labels=labels)
        self.labels = labels


class Histogram(HistogramMetricFamily):
    def __init__(self, name: str, help_text: str, labels: Labels) -> None:
        super().__init__(name, help_text, labels=labels)
        self.labels = labels


Family = Counter | Gauge | Histogram


def counter(name: str, help_text: str, labels: Labels, values: Iterable[tuple[Labels, float]]) -> Counter:
    """`name` without `_total`."""
    family = Counter(name, help_text, labels)
    for of, value in _sums(values).items():
        family.add_metric(of, value)
    return family


def count(name: str, help_text: str, value: float) -> Counter:
    """A counter without labels."""
    return counter(name, help_text, (), [((), value)])


def gauge(name: str, help_text: str, labels: Labels, values: Values) -> Gauge:
    family = Gauge(name, help_text, labels)
    for of, value in values.items():
        family.add_metric(of, value)
    return family


def level(name: str, help_text: str, value: float | None) -> Gauge:
    """A gauge without labels; None: there is nothing to be seen yet."""
    return gauge(name, help_text, (), {} if value is None else {(): value})


def no_cells(bounds: Bounds) -> list[float]:
    """Cells of an empty histogram: how many values lay up to each bound, how many beyond, and their sum."""
    return [0.0] * (len(bounds) + 2)


def observe(cells: list[float], bounds: Bounds, value: float) -> int:
    """Count a value; the place of its bucket."""
    place = bisect_left(bounds, value)
    cells[place] += 1
    cells[-1] += value
    return place


def histogram(
    name: str, help_text: str, labels: Labels, bounds: Bounds, rows: Iterable[tuple[Labels, list[float], Exemplars]]
) -> Histogram:
    """Rows of labels, cells (`no_cells`), and exemplars; of two exemplars the younger is shown."""
    sums: dict[Labels, list[float]] = {}
    shown: dict[Labels, dict[int, Exemplar]] = {}
    for of, cells, exemplars in rows:
        sums[of] = [a + b for a, b in zip(sums[of], cells, strict=True)] if of in sums else cells
        kept = shown.setdefault(of, {})
        for place, exemplar in dict(exemplars).items():
            if place not in kept or _second(kept[place]) < _second(exemplar):
                kept[place] = exemplar
    family = Histogram(name, help_text, labels)
    names = (*map(floatToGoString, bounds), "+Inf")
    for of, cells in sums.items():
        buckets: list[tuple[str, float] | tuple[str, float, Exemplar]] = []
        for place, total in enumerate(accumulate(cells[:-1])):
            found = shown[of].get(place)
            buckets.append((names[place], total) if found is None else (names[place], total, found))
        family.add_metric(of, buckets, cells[-1])
    return family


def _second(exemplar: Exemplar) -> float:
    return float(exemplar.timestamp or 0.0)


def _sums(values: Iterable[tuple[Labels, float]]) -> dict[Labels, float]:
    sums: dict[Labels, float] = {}
    for of, value in values:
        sums[of] = sums.get(of, 0.0) + value
    return sums


class Cells:
    """One counter with labels, for what happens seldom."""

    __slots__ = ("help", "labels", "name", "values")

    def __init__(self, name: str, help_text: str, labels: Labels) -> None:
        """One without labels is shown from the start on, as zero."""
        self.name = name
        self.help = help_text
        self.labels = labels
        self.values: dict[Labels, float] = {} if labels else {(): 0.0}

    def add(self, labels: Labels, amount: float = 1.0) -> None:
        self.values[labels] = self.values.get(labels, 0.0) + amount

    def family(self) -> Counter:
        return counter(self.name, self.help, self.labels, list(self.values.items()))
