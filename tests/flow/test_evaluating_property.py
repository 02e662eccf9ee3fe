"""Second answers and judgements go to nobody who could not have been given the request: for any labels and rules."""

from dataclasses import dataclass

from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.core.catalog import Privacy
from gateway.core.decision import AttemptRow, Outcome
from gateway.core.extras import Extras, ProviderRules
from gateway.core.plan import Health, Ill
from gateway.core.policy import Evaluate, Label, Requirement, Route
from gateway.core.refusal import Refused
from gateway.flow.consider import Planner
from gateway.flow.evaluate import half_of
from gateway.flow.run import Run
from gateway.flow.world import World
from tests.support.builders import TASK_TIERS, a_provider, a_request, a_world, an_endpoint
from tests.support.guarantees import TODAY, demands, facts, guarantees

LABELS = ("internal", "eu")
PAPERS = frozenset({"iso", "soc2"})
OWN = Privacy(trains_on_data=False, retention_days=0, regions=frozenset({"eu"}), certifications=PAPERS)
OTHERS = ("p0", "p1", "p2")
IDS = [f"{name}/{model}" for name in ("own", *OTHERS) for model in ("s", "m", "l")]


@dataclass(frozen=True)
class Case:
    world: World
    health: Health
    extras: Extras
    keyless: frozenset[str]

    @property
    def demanded(self) -> list[Requirement]:
        asked = [self.world.policy.labels[name].require for name in self.extras.sensitivity]
        return [*asked, Requirement(retention_days=0)] if self.extras.provider.zdr else asked


@st.composite
def cases(draw: st.DrawFn) -> Case:
    """Our own servers guarantee nearly everything; the others whatever it may be."""
    providers = [a_provider("own", privacy=OWN), *(a_provider(name, privacy=draw(facts)) for name in OTHERS)]
    tiers = {"s": 0, "m": 1, "l": 2}
    endpoints = [an_endpoint(name, tier=tiers[name[-1]], base_model=draw(st.sampled_from("xyz"))) for name in IDS]
    labels = {name: Label(name, draw(demands), content_allowed=draw(st.integers(0, 3)) > 0) for name in LABELS}
    judge_model = draw(st.none() | st.sampled_from(["m", *IDS]))
    evaluate = Evaluate(1.0, draw(st.sampled_from([1, 2])), judge="both", judge_model=judge_model)
    world = a_world(
        *endpoints, providers=providers, labels=labels, routes=(Route("default", evaluate=evaluate),),
        task_tiers={**TASK_TIERS, "chat": draw(st.sampled_from([1, 2]))},
    )  # fmt: skip
    extras = Extras(
        provider=ProviderRules(zdr=draw(st.booleans()), ignore=tuple(draw(st.lists(st.sampled_from(OTHERS))))),
        sensitivity=tuple(draw(st.lists(st.sampled_from(LABELS), max_size=2))),
    )
    ill = {name: Ill("breaker_open") for name in draw(st.lists(st.sampled_from(IDS), max_size=3))}
    return Case(world, Health(ill), extras, draw(st.frozensets(st.sampled_from(OTHERS), max_size=1)))


@settings(max_examples=200, deadline=None)
@given(cases())
def test_only_who_guarantees_all_that_is_required_is_named(case: Case) -> None:
    request = a_request(extras=case.extras)
    planner = Planner(case.world, lambda _: case.health, lambda: case.keyless)
    try:
        considered = planner.consider(request.ask, request.extras, request.client, request.moment)
    except Refused:
        return
    answering = considered.steps[0].endpoint.id
    row = AttemptRow(answering, 0.0, None, 1.0, "ok", 200, None, 0.001)
    half = half_of(Run(request, considered, [row], Outcome.OK, endpoint=answering), planner)
    labels = [case.world.policy.labels[name] for name in case.extras.sensitivity]
    if half is None:
        assert considered.step is None
        return
    assert all(label.content_allowed for label in labels)
    catalog = case.world.policy.catalog
    for name in (*half.others, *half.judges):
        provider = catalog.providers[catalog.endpoints[name].provider]
        assert all(guarantees(provider.privacy, demand, TODAY) for demand in case.demanded)
        assert provider.id not in case.keyless
        assert provider.id not in case.extras.provider.ignore
    assert all((catalog.endpoints[name].tier or 0) >= half.step for name in half.others)
    assert len({name in case.health.ill for name in half.others}) == 1  # the ill only where nobody is well
