"""The pure parts of the scripted day: prompts, truth, what a stretch came to, and the report."""

from collections import Counter
from itertools import repeat

import orjson
import pytest

from gateway.config.defaults import TASK_TIERS
from gateway.core.classify import Classifier
from gateway.core.task_rules import DEFAULT_RULES
from loadtest.day.blocks import Block, Served, Share, block
from loadtest.day.config import BIG, SMALL, day_yaml
from loadtest.day.judgements import Agreement, agreement
from loadtest.day.prompts import TASKS, Asked, Prompts
from loadtest.day.report import as_json, as_text
from loadtest.day.script import Log, Step
from loadtest.day.truth import AFTERNOON, MORNING, SPOILED, WORDS, loss
from loadtest.quality import Quality, Rule
from loadtest.vendors import VENDORS, provider_rows

ASKED = [prompts.next() for prompts in repeat(Prompts(1), 600)]


def test_asks_the_same_prompts_for_the_same_seed_and_none_twice() -> None:
    again = Prompts(1)
    assert [again.next() for _ in ASKED] == ASKED
    assert len({asked.prompt for asked in ASKED}) == len(ASKED)
    assert Counter(asked.task for asked in ASKED) == {"summarization": 240, "extraction": 240, "email": 120}


def test_asks_nothing_that_the_rules_take_for_another_task() -> None:
    classifier, prompts = Classifier.compile(DEFAULT_RULES, tuple(TASK_TIERS)), Prompts(1)
    day = [prompts.next() for _ in range(4000)]
    assert [classifier.classify(asked.prompt).task for asked in day] == [asked.task for asked in day]


def test_asks_harder_prompts_that_the_rules_take_for_harder_ones() -> None:
    classifier = Classifier.compile(DEFAULT_RULES, tuple(TASK_TIERS))
    for task in TASKS:
        found = [(asked.hard, classifier.classify(asked.prompt).difficulty) for asked in ASKED if asked.task == task]
        assert min(score for hard, score in found if hard) > max(score for hard, score in found if not hard)
        assert sum(hard for hard, _ in found) / len(found) == pytest.approx(0.3, abs=0.08)


def test_knows_each_task_by_its_word() -> None:
    for asked in ASKED:
        assert [task for task, word in WORDS.items() if word in asked.prompt] == [asked.task]


def mean_loss(task: str, *, hard: bool, rules: tuple[Rule, ...]) -> float:
    losses = [loss(asked, SMALL, rules) for asked in ASKED if (asked.task, asked.hard) == (task, hard)]
    return sum(losses) / len(losses)


def test_loses_little_on_easy_prompts_and_much_on_the_others_until_one_task_is_spoiled() -> None:
    assert mean_loss("extraction", hard=False, rules=MORNING) == pytest.approx(0.0, abs=0.03)
    assert mean_loss("extraction", hard=True, rules=MORNING) == pytest.approx(0.43, abs=0.12)
    assert mean_loss("email", hard=False, rules=MORNING) == pytest.approx(0.43, abs=0.12)
    assert mean_loss(SPOILED, hard=False, rules=MORNING) == pytest.approx(0.0, abs=0.03)
    assert mean_loss(SPOILED, hard=False, rules=AFTERNOON) == pytest.approx(0.68, abs=0.1)
    assert mean_loss("extraction", hard=False, rules=AFTERNOON) == mean_loss("extraction", hard=False, rules=MORNING)


def test_loses_nothing_where_the_big_model_answers() -> None:
    assert {loss(asked, BIG, AFTERNOON) for asked in ASKED} == {0.0}


def test_gains_where_the_big_model_would_have_failed() -> None:
    assert loss(ASKED[0], SMALL, (Rule(0.0, BIG),)) == -1.0


def test_configures_one_route_that_is_evaluated() -> None:
    rows = provider_rows({vendor.id: "http://127.0.0.1:1/v1" for vendor in VENDORS})
    text = day_yaml(rows, "rules")
    assert "evaluate:" in text
    assert all(f"{task}: medium" in text for task in TASKS)


EASY = [asked for asked in ASKED if not asked.hard and asked.task != "email"]
FAILED_BY_SMALL = (Rule(0.0, SMALL),)
SUMMARY, EXTRACT = (next(one for one in EASY if one.task == task) for task in ("summarization", "extraction"))
SERVED = [Served(SUMMARY, SMALL, 0.001), Served(SUMMARY, BIG, 0.003), Served(EXTRACT, BIG, 0.004)]


def test_sums_up_a_stretch_by_task() -> None:
    found = block("noon", SERVED, FAILED_BY_SMALL, 0.006)
    assert (found.name, round(found.cost_usd, 6), found.saved_usd) == ("noon", 0.008, 0.006)
    assert found.all == Share(3, 1 / 3, 1 / 3)
    assert found.by_task == {
        "summarization": Share(2, 0.5, 0.5), "extraction": Share(1, 0.0, 0.0), "email": Share(0, 0.0, 0.0),
    }  # fmt: skip
    assert found.per_1000(found.saved_usd) == pytest.approx(2.0)


def test_sums_up_a_stretch_without_requests() -> None:
    found = block("none", [], MORNING, 0.0)
    assert (found.all, found.per_1000(1.0)) == (Share(0, 0.0, 0.0), 0.0)


def log() -> Log:
    noon = Block("noon", Share(400, 0.55, -0.005), {"email": Share(80, 0.0, 0.0)}, 0.0127, 0.01104)
    return Log([Step(0.0, "evaluation on", "now"), Step(46.2, "certificates", "two")], [noon], [{"task": "t"}], 0.25)


def test_reports_steps_and_stretches_as_text() -> None:
    assert as_text(as_json(log(), [], None)).splitlines() == [
        "   0.0 s  evaluation on     now",
        "  46.2 s  certificates      two",
        "",
        "stretch  requests  lower tier  true loss  $ per 1,000  saved per 1,000",
        "noon          400         55%      -0.5%       0.0318           0.0276",
        "  email        80          0%      +0.0%",
        "",
        "second answers and judgements cost $0.2500",
        "",
        "everything happened",
    ]


def test_reports_how_far_a_day_came_that_failed() -> None:
    report = as_json(Log(), [], "no pair was judged after 60 s")
    assert (report["passed"], report["failed"], report["stretches"]) == (False, "no pair was judged after 60 s", [])
    assert as_text(report).splitlines()[-1] == "FAILED: no pair was judged after 60 s"


def test_fails_where_requests_were_not_answered() -> None:
    report = as_json(Log(), ["http_500: x", "http_500: x", "cut: "], None)
    assert (report["passed"], report["failed_requests"], report["errors"]) == (False, 3, ["http_500: x", "cut: "])
    assert as_text(report).splitlines()[-1] == "FAILED: 3 requests were not answered"


def test_draws_the_same_truth_everywhere() -> None:
    quality = Quality(MORNING)
    assert [quality.does_well(SMALL, asked.prompt) for asked in ASKED] == [
        loss(asked, SMALL, (Rule(1.0, BIG), *MORNING)) == 0.0 for asked in ASKED
    ]


def exported(asked: Asked, *verdicts: str) -> bytes:
    judgements = [{"scorer": "a judge", "by": "model", "verdict": verdict} for verdict in verdicts]
    row = {"kind": "pair", "task": asked.task, "prompt": f"### user\n\n{asked.prompt}", "judgements": judgements}
    return orjson.dumps({"kind": "evaluations", "version": 1}) + b"\n" + orjson.dumps(row) + b"\n"


def test_finds_judgements_that_are_not_true() -> None:
    asked = next(one for one in ASKED if one.task == "email" and loss(one, SMALL, MORNING) == 1.0)
    assert agreement(exported(asked, "upper", "skip")) == Agreement(judged=1, wrong=0)
    assert agreement(exported(asked, "tie", "lower")) == Agreement(judged=2, wrong=2)


def test_takes_a_judgement_of_the_spoiled_task_for_true_by_either_half_of_the_day() -> None:
    spoiled = next(one for one in ASKED if loss(one, SMALL, MORNING) == 0.0 and loss(one, SMALL, AFTERNOON) == 1.0)
    found = [agreement(exported(spoiled, verdict)).wrong for verdict in ("tie", "upper", "lower")]
    assert found == [0, 0, 1]
