"""What the replay of recorded traffic proves, counted per wire format.

The proofs are tests of `tests/formats`; each is run here over the whole of what it compares, so that a count is of
exchanges that were compared and found right. A proof that fails names the first exchange it failed at.
"""

import importlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from gateway.core.ask import Surface
from tests.support import normal_anthropic, normal_openai, normal_others, normal_responses, recorded
from tests.support.formats import SURFACES
from tests.support.normal import Compared, Rule
from tests.support.recorded_costs import Charged, charged
from tests.support.vectors import ROOT

PASSED = "1 same format: request and answer pass equal (but for the model's name)"
WRITTEN = "2 requests decoded and encoded again are equal up to the list below"
KEPT = "2 answers decoded and encoded again are equal up to the list below"
SAID = "2 answers decoded, and encoded for another surface: same texts and calls"
USED = "3 usage as recorded"
COST = "3 cost as recorded"
CUT = "4 streams cut at every byte boundary read the same"


@dataclass(frozen=True)
class Count:
    api: str
    proof: str
    number: int
    failures: Sequence[str] = field(default_factory=list)


@dataclass(frozen=True)
class Normalised:
    """A rule, and how many exchanges would differ without it."""

    api: str
    side: str
    rule: Rule
    number: int


@dataclass(frozen=True)
class Found:
    counts: Sequence[Count]
    normalised: Sequence[Normalised]
    costs: Sequence[Charged]
    boundaries: int  # at which streams were cut


def found() -> Found | None:
    """None where the recordings are not here."""
    if not ROOT.is_dir():
        return None
    trips = _round_trips()
    cuts, boundaries = _cuts()
    costs = charged()
    wrong = [one.name for one in costs if one.read_usd != one.told_usd]
    return Found(
        [*_native(), *_bedrock(), *_gemini(), *_cohere(), *(count for count, _, _ in trips), *cuts,
         Count("openai, responses", COST, len(costs), wrong)],
        [
            Normalised(count.api, "requests" if count.proof == WRITTEN else "answers", rule, compared.needed[rule.name])
            for count, rules, compared in trips for rule in rules
        ],
        costs,
        boundaries,
    )  # fmt: skip


def _module(name: str) -> Any:
    return importlib.import_module(f"tests.formats.{name}")


def _failures(*proofs: Callable[..., None]) -> list[str]:
    told = []
    for proof in proofs:
        try:
            proof()
        except AssertionError as error:
            told.append(f"{proof.__name__}: {error}"[:300])
    return told


def _round_trips() -> list[tuple[Count, Sequence[Rule], Compared]]:
    trips = _module("test_round_trips")
    compared = [
        ("openai", WRITTEN, normal_openai.REQUESTS, trips.requests("openai")),
        ("openai", KEPT, normal_openai.ANSWERS, trips.answers("openai")),
        ("anthropic", WRITTEN, normal_anthropic.REQUESTS, trips.requests("anthropic")),
        ("anthropic", KEPT, normal_anthropic.ANSWERS, trips.answers("anthropic")),
        ("responses", WRITTEN, normal_responses.REQUESTS, _module("responses.test_vectors").requests()),
        ("responses", KEPT, normal_responses.ANSWERS, _module("responses.test_vectors").answers()),
        ("gemini", WRITTEN, normal_others.GEMINI_REQUESTS, _module("gemini.test_vectors").requests()),
        ("bedrock", WRITTEN, normal_others.BEDROCK_REQUESTS, _module("bedrock.test_vectors").requests()),
        ("cohere", WRITTEN, normal_others.COHERE_REQUESTS, _module("cohere.test_vectors").requests()),
    ]
    return [(Count(api, proof, one.number, one.failures), rules, one) for api, proof, rules, one in compared]


def _cuts() -> tuple[list[Count], int]:
    tests, total, counts = _module("test_cuts"), 0, []
    for api in tests.FORMATS:
        failures = [
            failure
            for surface in SURFACES.values()
            for failure in _failures(lambda: tests.test_answers_are_the_same_byte_by_byte(api, surface))  # noqa: B023
        ]
        streams, boundaries = tests.boundaries(api)
        total += boundaries
        counts.append(Count(api, CUT, streams, failures))
    return counts, total


def _native() -> list[Count]:
    """Formats that have a client surface of their own."""
    tests = _module("test_vectors")
    same = (
        tests.test_sends_requests_of_the_same_format_as_they_came,
        tests.test_passes_whole_answers_equal_but_for_the_model,
        tests.test_passes_streams_event_for_event_equal_but_for_the_model,
    )
    other = (tests.test_says_the_same_on_the_other_surface, tests.test_streams_the_same_on_the_other_surface)
    used = (tests.test_reads_the_usage_of_whole_answers, tests.test_reads_the_usage_of_streams)
    proven = {PASSED: _failures(*same), SAID: _failures(*other), USED: _failures(*used)}
    counts = []
    for api in ("openai", "anthropic", "responses"):
        ours = [item for item in (*recorded.wholes(), *recorded.streams()) if item[2].api == api]
        meant = [item for item in ours if item[1].surface in (Surface.CHAT, Surface.MESSAGES)]
        counted = [item for item in ours if item[1].surface is not Surface.COUNT_TOKENS]
        numbers = {PASSED: len(ours), SAID: len(meant), USED: len(counted)}
        counts += [Count(api, proof, number, proven[proof]) for proof, number in numbers.items() if number]
    return counts


def _bedrock() -> list[Count]:
    tests = _module("bedrock.test_vectors")
    wholes = [one for one, _ in recorded.bedrock("converse") if one.status == 200]
    answered = (tests.test_says_what_every_recorded_answer_said, tests.test_reads_every_recorded_stream_to_its_end)
    answers = _failures(*answered)
    return [
        Count("bedrock", SAID, len(wholes) + len(recorded.bedrock("converse-stream")), answers),
        Count("bedrock", USED, len(wholes), answers),
        Count("bedrock-anthropic", PASSED, 1, _failures(tests.test_asks_claude_as_was_recorded)),
    ]


def _gemini() -> list[Count]:
    tests = _module("gemini.test_vectors")
    streams = recorded.gemini("streamGenerateContent")
    wholes = [one for one in recorded.gemini("generateContent") if one.status == 200]
    proven = _failures(*(getattr(tests, name) for name in dir(tests) if name.startswith("test_")))
    return [
        Count("gemini", SAID, len(wholes) + len(streams), proven),
        Count("gemini", USED, len(wholes) + len(streams), proven),
    ]


def _cohere() -> list[Count]:
    tests = _module("cohere.test_vectors")
    chats = tests.recorded("/v2/chat")
    answers = _failures(tests.test_reads_every_answer)
    return [Count("cohere", SAID, len(chats), answers), Count("cohere", USED, len(chats), answers)]
