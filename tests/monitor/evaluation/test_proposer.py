"""Proposals as the page shows them: with a diff where there is a file in force, made when certificates are."""

from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest

from gateway.config.here import known_here
from gateway.config.load import ConfigText, load_config
from gateway.core.policy import Policy
from monitor.evaluation import proposer as proposer_module
from monitor.evaluation.keeper import LOOK_S
from monitor.evaluation.proposer import ConfigPlace, Proposer
from monitor.evaluation.shown import evaluation
from tests.support.certifying import BEGIN_S, EVERY_S, a_log
from tests.support.keeping import DAY_S, PlayedBooks, Rig, none_needed

pytestmark = pytest.mark.virtual_time

TEXT = """\
tiers: [small, medium, large]
classify:
  task_tiers:
    email: large   # <b>to be sure</b>
routes:
  - name: support
    evaluate: {share: 0.1, against: large, max_loss: 0.05, confidence: 0.9}
"""
DIFF = """\
--- pointsman.yaml
+++ pointsman.yaml
@@ -1,7 +1,7 @@
 tiers: [small, medium, large]
 classify:
   task_tiers:
-    email: large   # <b>to be sure</b>
+    email: medium   # <b>to be sure</b>
 routes:
   - name: support
     evaluate: {share: 0.1, against: large, max_loss: 0.05, confidence: 0.9}
"""
WORDS = "classify.task_tiers.email: medium"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    place = tmp_path / "somewhere.yaml"
    place.write_text(TEXT)
    return place


def put(file: Path, text: str) -> None:
    file.write_text(text)


def lose(file: Path) -> None:
    file.unlink()


def said(file: Path) -> str:
    return file.read_text()


def policy_of(text: str) -> Policy:
    return load_config(ConfigText(text.encode()), known_here(None, date(2026, 11, 25), {})).policy


def a_rig(file: Path | None, books: PlayedBooks | None = None) -> tuple[Rig, Proposer]:
    made = Proposer(ConfigPlace(file))
    made.reconfigure(policy_of(TEXT))
    rig = Rig(a_log(1, 400, none_needed), books, made)
    rig.terms = {route.name: route.evaluate for route in policy_of(TEXT).routes if route.evaluate is not None}
    return rig, made


def shown(rig: Rig) -> Iterator[tuple[str, str]]:
    found = evaluation(rig.keeper, ("small", "medium", "large"))["proposals"]
    return ((one["diff"], one["by_hand"]) for one in found)


async def test_shows_what_a_person_may_change_as_a_diff_of_the_file(file: Path) -> None:
    rig, _ = a_rig(file)
    assert await rig.tend()
    [told] = evaluation(rig.keeper, ("small", "medium", "large"))["proposals"]
    now_s = BEGIN_S + DAY_S + rig.now_s
    a_day = 400 / 0.1 * DAY_S / (now_s - BEGIN_S)
    assert told == {
        "title": "email: large → medium on route support",
        "evidence": (
            "route support: at most 0.2 % worse with 90 % confidence, 400 judged pairs (400 by people), "
            "measured: 2.5 % gained",
        ),
        "cautions": (),
        "saving": {"usd_per_day": pytest.approx(a_day * 0.009), "share": pytest.approx(0.9), "pairs": 400},
        "diff": DIFF,
        "by_hand": "",
    }
    assert said(file) == TEXT, "applying is a person's act"


@pytest.mark.parametrize("changed", ["not in force", "gone", "an alias", "large"])
async def test_tells_it_in_words_where_no_diff_can_be_made(
    file: Path, changed: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    rig, made = a_rig(file)
    if changed == "not in force":
        put(file, TEXT + "\n")
    elif changed == "gone":
        lose(file)
    elif changed == "large":
        monkeypatch.setattr(proposer_module, "DIFF_MOST", 100)
    else:
        text = TEXT.replace("email: large ", "email: &high large\n    code: *high ")
        put(file, text)
        made.reconfigure(policy_of(text))
    await rig.tend()
    assert list(shown(rig)) == [("", WORDS)]


async def test_where_there_is_no_file_words_tell_it() -> None:
    rig, _ = a_rig(None)
    await rig.tend()
    assert list(shown(rig)) == [("", WORDS)]


async def test_a_failure_hides_proposals_and_never_certificates(file: Path, caplog: pytest.LogCaptureFixture) -> None:
    books = PlayedBooks(a_log(1, 400, none_needed), undrawn=KeyError("a bug"))
    rig, _ = a_rig(file, books)
    assert await rig.tend()
    assert await rig.tend(LOOK_S)
    assert list(shown(rig)) == []
    assert rig.keeper.failures == 0
    assert caplog.messages == ["nothing is proposed, since that fails: KeyError: 'a bug'"]


async def test_a_new_configuration_is_reason_to_look_again_and_what_was_applied_is_gone(file: Path) -> None:
    rig, made = a_rig(file)
    await rig.tend()
    text = TEXT.replace("email: large", "email: medium")
    put(file, text)
    made.reconfigure(policy_of(text))
    await rig.tend()
    assert list(shown(rig)) == []


async def test_proposals_are_made_when_certificates_are_and_not_in_between(file: Path) -> None:
    rig, _ = a_rig(file)
    await rig.tend()
    lose(file)
    await rig.tend()
    await rig.tend(LOOK_S)
    assert list(shown(rig)) == [(DIFF, "")], "one that was made once is good as long as that configuration is in force"


async def test_another_replica_that_takes_over_shows_none_here(file: Path) -> None:
    rig, _ = a_rig(file)
    await rig.tend()
    rig.leads = False
    await rig.tend()
    assert list(shown(rig)) == []


def test_proposes_nothing_before_there_is_a_configuration() -> None:
    pairs = a_log(1, 400, none_needed)
    rig = Rig(pairs)
    made = Proposer(ConfigPlace())
    assert made.generation == ""
    assert made.propose(PlayedBooks(pairs), pairs, rig.keeper.kept.state, BEGIN_S + 400 * EVERY_S) == ()
