"""The result as text and as the page, and the sums behind it."""

from dataclasses import replace

from loadtest.bench.machine import Machine
from loadtest.bench.measure import Cost, Memory, Sample, cost_of
from loadtest.bench.page import Judging, Measured, Report, as_markdown, as_text, judging_of
from loadtest.bench.workloads import ROWS, SEEING, SEEN, UNSEEN

MACHINE = Machine("CPU 9", 2, "Linux 6 x86_64", "3.11.7", {"aiohttp": "3.14.5"}, "1.22.1", "wrk", 0.25)
SMALL = Measured(ROWS[0], (Cost("nginx", 20.04, 0.9, 1.0), Cost("gateway", 100.0, 0.987, 4.996, (98.0, 100.0, 104.25))))
MEMORY = Memory("gateway", 65_536, 12.34, 30.06, 500, 499)
REPORT = Report(MACHINE, 3, 2.5, (SMALL,), (MEMORY,))


def test_takes_the_median_of_the_ratios_of_each_round() -> None:
    nginx = [Sample(10.0, 0.5), Sample(20.0, 0.6), Sample(40.0, 0.7)]
    gateway = [Sample(30.0, 0.9), Sample(80.0, 0.8), Sample(200.0, 1.0)]
    assert cost_of("gateway", gateway, nginx) == Cost("gateway", 80.0, 0.9, 4.0, (30.0, 80.0, 200.0))


def test_prints_a_table() -> None:
    assert as_text(REPORT).splitlines() == [
        "CPU 9, 2 cores, Linux 6 x86_64; Python 3.11.7, aiohttp 3.14.5; nginx 1.22.1; load by wrk; "
        "gateways interpreted, since nothing is compiled (make compiled); load average before the run 0.2",
        "3 rounds of 2.5 s",
        "",
        "load                       server   CPU us  min to max     per      x nginx  core used",
        "whole reply, 200 B prompt  nginx    20.0                   request  1        90%",
        "whole reply, 200 B prompt  gateway  100.0   98.0 to 104.2  request  5.00     99%",
        "",
        "server   open streams  KiB per stream  MiB at rest  CPU us per event  cancelled upstream",
        "gateway  500           12.3            64           30.1              499 of 500",
    ]


def test_says_where_gateways_are_compiled() -> None:
    compiled = replace(REPORT, machine=replace(MACHINE, compiled=True))
    words = "load by wrk; gateways compiled; load average before the run 0.2"
    assert words in as_text(compiled).splitlines()[0]
    assert f"{words}. 3 rounds" in as_markdown(compiled)


def test_writes_a_page_with_the_same_numbers() -> None:
    page = as_markdown(REPORT)
    assert "| whole reply, 200 B prompt | gateway | 100.0 | 98.0 to 104.2 | request | 5.00 | 99% |\n" in page
    assert "| gateway | 500 | 12.3 | 64 | 30.1 | 499 of 500 |\n" in page
    assert f"{MACHINE.line()}. 3 rounds of 2.5 s each.\n" in page


def test_leaves_out_the_table_of_streams_that_were_not_opened() -> None:
    assert "KiB per stream" not in as_markdown(replace(REPORT, memory=()))


def seen(on: tuple[float, ...], off: tuple[float, ...]) -> Report:
    row = next(row for row in ROWS if row.id == SEEING)
    costs = (Cost("nginx", 20.0, 1.0, 1.0), Cost(UNSEEN, 100.0, 1.0, 5.0, off), Cost(SEEN, 110.0, 1.0, 6.0, on))
    return Report(MACHINE, 3, 2.5, (Measured(row, costs),), ())


def test_tells_what_seeing_costs_by_the_median_of_each_rounds_difference() -> None:
    report = seen((110.0, 150.0, 300.0), (100.0, 138.0, 270.0))
    assert report.seeing_us() == 12.0
    words = "Metrics, decision records and 1 % traces cost 12.0 us per request (10.0 to 30.0 in 3 rounds)."
    assert words in as_text(report).splitlines()
    assert f"\n{words}\n" in as_markdown(report)
    assert REPORT.seeing_us() is None


def test_tells_no_spread_of_a_single_round() -> None:
    report = seen((110.0,), (100.0,))
    assert "Metrics, decision records and 1 % traces cost 10.0 us per request." in as_text(report).splitlines()
    assert [cost.spread_us for cost in report.rows[0].costs] == [None, None, None]


def test_tells_the_spread_of_starts_of_gateways_alone() -> None:
    each_us = (100.0, 90.0, 120.0)
    assert Cost("gateway", 100.0, 1.0, 5.0, each_us).spread_us == (90.0, 120.0)
    assert Cost("nginx", 100.0, 1.0, 1.0, each_us).spread_us is None  # one process all the time


def test_finds_the_ratio_to_be_checked() -> None:
    assert REPORT.json_ratio() == 4.996
    assert Report(MACHINE, 1, 1.0, (Measured(ROWS[1], SMALL.costs),), ()).json_ratio() is None


def test_tells_what_the_learned_classifier_takes() -> None:
    judging = judging_of([n / 100 for n in range(200, 0, -1)], 2000)
    assert judging == Judging(p50_ms=1.0, p99_ms=1.98, prompts=200, prompt_bytes=2000)
    words = (
        "The learned classifier takes 1.00 ms of CPU per 2 KB prompt (median of 200 different ones; p99 1.98 ms), "
        "where `classify.by` asks for it."
    )
    report = replace(REPORT, judging=judging)
    assert words in as_text(report).splitlines()
    assert f"\n{words}\n" in as_markdown(report)
    assert as_text(Report(MACHINE, 3, 2.5, (), (), judging)).splitlines()[2:] == ["", words]
