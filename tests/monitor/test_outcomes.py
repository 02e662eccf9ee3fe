from gateway.core.outcomes import EndpointOutcomes, Outcomes, Sample
from monitor.outcomes import FORGET_AFTER, Heard, taken


def a_report(since: str, **ok: int) -> Outcomes:
    return Outcomes(since, {id_: EndpointOutcomes(ok=count, cursor=count) for id_, count in ok.items()})


def told(*rounds: list[Outcomes]) -> list[dict[str, int]]:
    """Successes by endpoint, as news of each round."""
    heard, found = Heard(), []
    for reports in rounds:
        heard, news = taken(heard, reports)
        found.append({id_: entry.ok for id_, entry in news.items()})
    return found


def test_takes_the_first_reading_for_old_news() -> None:
    assert told([a_report("a", x=1_000)], [a_report("a", x=1_003, y=2)]) == [{}, {"x": 3, "y": 2}]


def test_takes_all_of_a_gateway_that_has_just_started_for_news() -> None:
    assert told([a_report("a", x=5)], [a_report("a", x=5), a_report("b", x=7)]) == [{}, {"x": 7}]


def test_counts_nothing_twice_when_a_gateway_starts_anew() -> None:
    assert told([a_report("a", x=5)], [a_report("b", x=1)], [a_report("b", x=4)]) == [{}, {"x": 1}, {"x": 3}]


def test_counts_nothing_twice_when_a_reading_is_lost() -> None:
    assert told([a_report("a", x=5)], [], [a_report("a", x=9)]) == [{}, {}, {"x": 4}]


def test_adds_up_several_gateways() -> None:
    first, second = [a_report("a", x=1), a_report("b", x=1)], [a_report("a", x=3), a_report("b", x=4)]

    assert told(first, second) == [{}, {"x": 5}]


def test_forgets_a_gateway_that_has_long_been_silent() -> None:
    heard, _ = taken(Heard(), [a_report("a", x=5)])
    for _ in range(FORGET_AFTER - 1):
        heard, _ = taken(heard, [])
    assert set(heard.reports) == {"a"}

    heard, _ = taken(heard, [])

    assert heard == Heard({}, {}, ever=True)


def test_does_not_take_the_first_gateway_ever_for_news_after_rounds_without_any() -> None:
    assert told([], [], [a_report("a", x=9)]) == [{}, {}, {}]


def test_hands_on_new_samples_alone() -> None:
    before = Outcomes("a", {"x": EndpointOutcomes(ok=1, cursor=1, samples=(Sample(1.0),))})
    after = Outcomes("a", {"x": EndpointOutcomes(ok=2, cursor=2, samples=(Sample(1.0), Sample(2.0)))})
    heard, _ = taken(Heard(), [before])

    _, news = taken(heard, [after])

    assert news["x"].samples == (Sample(2.0),)
