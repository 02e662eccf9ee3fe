"""Who is shown the texts of a pair: by the configuration in force at the call, however long the pair has waited."""

import asyncio
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.core.catalog import Privacy
from gateway.core.evaluation import Half
from gateway.core.policy import NOTHING_REQUIRED, Evaluate, Label, Policy, Requirement, Route
from monitor.evaluation.asking import Asker, NoAnswer
from monitor.evaluation.calling import Caller
from monitor.evaluation.judge import Judge
from monitor.evaluation.pairs import Answer, Facts, Pair, Terms, Unjudged
from monitor.evaluation.privacy import barred
from monitor.evaluation.reading import read_half
from monitor.evaluation.spending import Spending
from monitor.evaluation.store import Store
from monitor.evaluation.worker import Worker
from tests.support.builders import EPOCH_S, a_catalog, a_policy, a_provider
from tests.support.evaluating import (
    BACKUP,
    PRICES,
    REFEREE,
    STRONG,
    WEAK,
    Keys,
    Ledger,
    a_caller,
    a_clock,
    a_half,
    upstream,
)
from tests.support.openai_scripts import an_answer
from tests.support.scripted_upstream import ScriptedUpstream
from tests.support.virtual_time import VirtualLoop

pytestmark = pytest.mark.virtual_time
TODAY = datetime.fromtimestamp(EPOCH_S, UTC).date()
RULES = {"default": Evaluate(share=0.02, against=1, judge="both")}
NO_TRAINING = Requirement(trains_on_data=False)
LAX, STRICT = Label("careful"), Label("careful", NO_TRAINING)
DISCREET = Privacy(trains_on_data=False, retention_days=0)
TIE = an_answer('{"verdict": "tie"}')


def a_configuration(
    *labels: Label, privacy: Mapping[str, Privacy] | None = None, routes: tuple[Route, ...] = (Route("default"),)
) -> Policy:
    """`privacy` by provider; of the others nothing is known."""
    providers = [a_provider(name, privacy=facts) for name, facts in (privacy or {}).items()]
    catalog = a_catalog(*PRICES, providers=providers)
    return a_policy(catalog, labels={label.name: label for label in labels}, routes=routes)


def configured(vendors: ScriptedUpstream, policy: Policy) -> Caller:
    caller = a_caller(vendors)
    caller.reconfigure(policy, Keys())
    return caller


@pytest.fixture
def store(url: str) -> Iterator[Store]:
    opened = Store.open(url)
    yield opened
    opened.close()


async def worked(store: Store, caller: Caller) -> Worker:
    """What a worker does within a second."""
    clock, spending = a_clock(), Spending(store)
    worker = Worker(store, Asker(caller, spending, clock), Judge(caller, spending, clock), clock, "monitor-1")
    worker.reconfigure(RULES)
    task = asyncio.create_task(worker.run())
    await asyncio.sleep(1.0)
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task
    return worker


def waiting(store: Store, **half: Any) -> None:
    store.add([a_half(**half)], EPOCH_S)


def complete(store: Store, **half: Any) -> None:
    """It waits for a model's judgement."""
    waiting(store, **half)
    store.complete(a_half().decision, "Why?", "So.", Answer(WEAK, "Because.", 0.001), EPOCH_S)


async def test_a_label_that_was_tightened_binds_second_answers(store: Store) -> None:
    vendors = upstream()
    caller = configured(vendors, a_configuration(LAX))
    waiting(store, labels=("careful",), others=(WEAK, BACKUP))
    caller.reconfigure(a_configuration(STRICT, privacy={"backup": DISCREET}), Keys())
    await worked(store, caller)
    assert vendors.tried == [BACKUP]


async def test_a_label_that_was_tightened_binds_judges(store: Store) -> None:
    vendors = upstream(referee=[TIE], backup=[TIE])
    caller = configured(vendors, a_configuration(LAX))
    complete(store, labels=("careful",), judges=(REFEREE, BACKUP))
    caller.reconfigure(a_configuration(STRICT, privacy={"backup": DISCREET}), Keys())
    done = (await worked(store, caller)).done
    assert (vendors.tried, done.judged) == ([BACKUP, BACKUP], 1)


async def test_where_nobody_is_left_the_pair_stays_as_it_is(store: Store, caplog: pytest.LogCaptureFixture) -> None:
    vendors = upstream()
    caller = configured(vendors, a_configuration(STRICT, privacy={"weak": Privacy(trains_on_data=True)}))
    complete(store, labels=("careful",), judges=(REFEREE,))
    store.add([a_half(2, labels=("careful",))], EPOCH_S)
    done = (await worked(store, caller)).done
    assert (vendors.tried, done.skipped, done.given_up, done.judged) == ([], 1, 1, 0)
    assert [one.given_up for one in store.progress()] == [1]
    lacks = "its provider does not guarantee what is demanded of data: trains_on_data"
    assert caplog.messages == [
        f"a pair of route default stays without a model's judgement: {REFEREE}: {lacks}",
        f"a pair of route default stays without a second answer: {WEAK}: {lacks}",
    ]


@pytest.mark.parametrize(
    ("label", "half", "why"),
    [
        (Label("another"), {}, "it carries the label careful, which the configuration does not know"),
        (Label("careful", content_allowed=False), {}, "it carries the label careful, which forbids to keep content"),
        (LAX, {"labels": None}, "the gateway that drew it is older and does not say which labels it carries"),
    ],
)
async def test_what_may_be_shown_to_nobody_is_given_up(
    store: Store, caplog: pytest.LogCaptureFixture, label: Label, half: dict[str, Any], why: str
) -> None:
    """Also where nobody would have to be asked."""
    vendors = upstream()
    carried = {"labels": ("careful",), "judges": (REFEREE,), **half}
    complete(store, **carried)
    store.add([a_half(2, **carried), a_half(3, **carried | {"others": (STRONG,)})], EPOCH_S)
    done = (await worked(store, configured(vendors, a_configuration(label)))).done
    assert (vendors.tried, done.skipped, done.given_up, done.same) == ([], 1, 2, 0)
    assert caplog.messages == [
        f"a pair of route default stays without a model's judgement: {why}",
        f"a pair of route default stays without a second answer: {why}",
    ]


async def test_a_row_of_data_policy_that_has_expired_guarantees_nothing(store: Store) -> None:
    vendors = upstream()
    privacy = {
        "weak": Privacy(trains_on_data=False, expires=TODAY),
        "backup": Privacy(trains_on_data=False, expires=TODAY + timedelta(days=1)),
    }
    waiting(store, labels=("careful",), others=(WEAK, BACKUP))
    await worked(store, configured(vendors, a_configuration(STRICT, privacy=privacy)))
    assert vendors.tried == [BACKUP]


async def test_what_the_request_itself_demanded_is_asked_again(store: Store) -> None:
    vendors = upstream()
    privacy = {"weak": Privacy(retention_days=30), "backup": DISCREET}
    waiting(store, require=Requirement(retention_days=0), others=(WEAK, BACKUP))
    await worked(store, configured(vendors, a_configuration(privacy=privacy)))
    assert vendors.tried == [BACKUP]


async def test_a_label_that_the_route_has_got_since_then_counts(store: Store) -> None:
    vendors = upstream()
    routes = (Route("other"), Route("default", sensitivity="careful"))
    waiting(store, others=(WEAK, BACKUP))
    await worked(store, configured(vendors, a_configuration(STRICT, privacy={"backup": DISCREET}, routes=routes)))
    assert vendors.tried == [BACKUP]


class Tightening(Ledger):
    """The configuration changes while money is set aside."""

    def __init__(self, caller: Caller) -> None:
        super().__init__()
        self._caller = caller

    def charge(self, route: str, day: date, usd: float) -> None:
        super().charge(route, day, usd)
        self._caller.reconfigure(a_configuration(STRICT), Keys())


A_PAIR = Pair(
    Facts("00000000000000aa", EPOCH_S, "default", "chat", 0, 0.3, "rules", 0.02, None), "Why?",
    Answer(WEAK, "Because.", 0.001), Answer(STRONG, "So.", 0.01),
)  # fmt: skip


async def asked(caller: Caller, half: Half, ledger: Ledger) -> None:
    with suppress(NoAnswer):
        await Asker(caller, Spending(ledger), a_clock()).second(half, read_half(half).ask, 5.0)


async def judged(caller: Caller, half: Half, ledger: Ledger) -> None:
    terms = Terms(half.route, half.labels, half.require)
    with suppress(NoAnswer):
        await Judge(caller, Spending(ledger), a_clock()).judge(Unjudged(A_PAIR, half.judges, terms), 5.0)


@pytest.mark.parametrize("call", [asked, judged])
async def test_the_last_moment_before_a_call_counts_and_costs_nothing(call: Any) -> None:
    vendors = upstream()
    caller = configured(vendors, a_configuration(LAX))
    ledger = Tightening(caller)
    await call(caller, a_half(labels=("careful",), judges=(REFEREE,)), ledger)
    assert (vendors.tried, ledger.total_usd()) == ([], 0.0)
    assert ledger.most_usd > 0.0


REGIONS = st.sampled_from([None, *map(frozenset, ((), ("eu",), ("us",), ("eu", "us")))])
CERTIFICATIONS = st.sampled_from([None, *map(frozenset, (("iso27001",), ("soc2",), ("iso27001", "soc2")))])
DAYS = st.none() | st.integers(0, 30)
REQUIREMENTS = st.builds(Requirement, st.none() | st.just(False), DAYS, REGIONS, CERTIFICATIONS)
PRIVACY = st.builds(
    Privacy, st.none() | st.booleans(), DAYS, REGIONS, CERTIFICATIONS | st.just(frozenset[str]()),
    expires=st.none() | st.sampled_from([TODAY - timedelta(days=1), TODAY, TODAY + timedelta(days=1)]),
)  # fmt: skip
NAMES = ("a", "b", "c")
LABELS = st.builds(Label, st.sampled_from(NAMES), REQUIREMENTS, content_allowed=st.sampled_from([True] * 5 + [False]))


def gives(privacy: Privacy, require: Requirement) -> bool:
    """By the words of the contract, one demand at a time."""
    expired = privacy.expires is not None and privacy.expires <= TODAY
    met: dict[str, Callable[[Any, Any], bool]] = {
        "trains_on_data": lambda given, _: given is False,
        "retention_days": lambda given, most: given <= most,
        "regions": lambda given, within: given != frozenset() and given <= within,
        "certifications": lambda given, wanted: wanted <= given,
    }
    return all(
        (demand := getattr(require, name)) is None
        or (not expired and (given := getattr(privacy, name)) is not None and enough(given, demand))
        for name, enough in met.items()
    )


@settings(max_examples=100, deadline=None)
@given(
    labels=st.lists(LABELS, unique_by=lambda label: label.name),
    carried=st.none() | st.lists(st.sampled_from(NAMES), unique=True, max_size=2).map(tuple),
    require=st.just(NOTHING_REQUIRED) | REQUIREMENTS,
    privacy=st.fixed_dictionaries(dict.fromkeys(("weak", "backup", "referee"), PRIVACY)),
    asks=st.permutations([WEAK, BACKUP, REFEREE]).map(tuple),
)  # fmt: skip
def test_no_call_goes_to_anybody_who_does_not_meet_what_is_in_force(
    labels: list[Label], carried: tuple[str, ...] | None, require: Requirement, privacy: dict[str, Privacy],
    asks: tuple[str, ...],
) -> None:  # fmt: skip
    """And to the first one who does."""
    in_force = {label.name: label for label in labels}
    shown = carried is not None and all(name in in_force and in_force[name].content_allowed for name in carried)
    demands = [require, *(in_force[name].require for name in carried or () if shown)]
    may = [one for one in asks if shown and all(gives(privacy[one.partition("/")[0]], demand) for demand in demands)]
    half = a_half(labels=carried, require=require, others=asks, judges=asks)

    async def run(call: Any) -> list[str]:
        vendors = upstream(weak=[TIE], backup=[TIE], referee=[TIE])
        await call(configured(vendors, a_configuration(*labels, privacy=privacy)), half, Ledger())
        return vendors.tried

    loop = VirtualLoop()
    try:
        seconds, judgements = loop.run_until_complete(run(asked)), loop.run_until_complete(run(judged))
    finally:
        loop.run_until_complete(loop.shutdown_default_executor())
        loop.close()
    foremost = sorted(may, key=lambda one: one == WEAK)[:1]  # who gave one of the answers judges last
    assert (seconds, judgements) == (may[:1], foremost * 2)


def test_texts_are_barred_by_labels_that_are_known_to_forbid_them() -> None:
    routes = (Route("mine", sensitivity="never"), Route("default"))
    policy = a_configuration(Label("never", content_allowed=False), Label("plain"), routes=routes)
    asked = [("default", ("plain", "never")), ("default", ("plain", "unknown")), ("default", None), ("mine", ())]
    found = [barred(Terms(route, labels, Requirement()), policy) for route, labels in asked]
    assert found == [True, False, False, True]
