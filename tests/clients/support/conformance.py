"""What the replay of recorded traffic proves, counted per wire format.

The proofs are tests of `tests/formats`; each is run here over the whole of what it compares, so that a count is of
exchanges that were compared and found right. A proof that fails names the first exchange it failed at.
"""

import importlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from gateway.core.ask import Surface
from tests.support.vectors import ROOT

PASSED = "1 same format: request and answer pass equal (but for the model's name)"
WRITTEN = "2 requests decoded and encoded again are equal"
SAID = "2 answers decoded, and encoded for another surface: same texts and calls"
KEPT = "2 answers decoded and encoded again are equal"
USED = "3 usage as recorded"
CUT = "4 streams read the same at up to 400 cuts each, and in portions of 7 bytes"
CUT_BINARY = "4 streams read the same at 200 cuts each, and at every byte of the first frames"


@dataclass(frozen=True)
class Count:
    api: str
    proof: str
    number: int
    failures: Sequence[str] = field(default_factory=list)


def counts() -> list[Count]:
    """Empty where the recordings are not here."""
    if not ROOT.is_dir():
        return []
    return [*_native(), *_responses(), *_bedrock(), *_gemini(), *_cohere()]


def _module(name: str) -> Any:
    return importlib.import_module(f"tests.formats.{name}")


def _failures(*proofs: Callable[..., None]) -> list[str]:
    found = []
    for proof in proofs:
        try:
            proof()
        except AssertionError as error:
            found.append(f"{proof.__name__}: {error}"[:300])
    return found


def _native() -> list[Count]:
    """Formats that have a client surface of their own."""
    tests = _module("test_vectors")
    wholes, streams = tests.wholes(), tests.streams()
    same = (
        tests.test_sends_requests_of_the_same_format_as_they_came,
        tests.test_passes_whole_answers_equal_but_for_the_model,
        tests.test_passes_streams_event_for_event_equal_but_for_the_model,
    )
    other = (tests.test_says_the_same_on_the_other_surface, tests.test_streams_the_same_on_the_other_surface)
    used = (tests.test_reads_the_usage_of_whole_answers, tests.test_reads_the_usage_of_streams)
    cut = (tests.test_reads_streams_the_same_wherever_they_are_cut, tests.test_reads_streams_the_same_in_small_portions)
    proven = {PASSED: _failures(*same), SAID: _failures(*other), USED: _failures(*used), CUT: _failures(*cut)}
    found = []
    for api in ("openai", "anthropic", "responses"):
        ours = [item for item in (*wholes, *streams) if item[2].api == api]
        meant = [item for item in ours if item[1].surface in (Surface.CHAT, Surface.MESSAGES)]
        counted = [item for item in ours if item[1].surface is not Surface.COUNT_TOKENS]
        numbers = {PASSED: len(ours), SAID: len(meant), USED: len(counted), CUT: sum(_is_stream(item) for item in ours)}
        found += [Count(api, proof, number, proven[proof]) for proof, number in numbers.items() if number]
    return found


def _is_stream(item: tuple[Any, Any, Any]) -> bool:
    return bool(item[0].streamed)


def _responses() -> list[Count]:
    tests = _module("responses.test_vectors")
    requests, answers = tests.expressible(), tests.recorded()
    proofs = (
        tests.test_requests_survive_the_neutral_form,
        tests.test_answers_survive_the_neutral_form,
        tests.test_streams_survive_the_neutral_form_and_are_whole,
        tests.test_what_cannot_be_translated_is_named,
    )
    return [
        Count("responses", WRITTEN, len(requests), _failures(proofs[0], proofs[3])),
        Count("responses", KEPT, len(answers), _failures(*proofs[1:3])),
    ]


def _bedrock() -> list[Count]:
    tests = _module("bedrock.test_vectors")
    wholes = [one for one, _ in tests.recorded("converse") if one.status == 200]
    streams = tests.recorded("converse-stream")
    answered = (tests.test_says_what_every_recorded_answer_said, tests.test_reads_every_recorded_stream_to_its_end)
    cut = (tests.test_reads_streams_the_same_at_every_cut, tests.test_reads_the_first_frames_the_same_at_every_byte)
    requests = _failures(tests.test_writes_every_recorded_request_that_a_client_can_ask_for)
    answers = _failures(*answered)
    return [
        Count("bedrock", WRITTEN, 83, requests),  # the number that the test itself insists on
        Count("bedrock", SAID, len(wholes) + len(streams), answers),
        Count("bedrock", USED, len(wholes), answers),
        Count("bedrock", CUT_BINARY, len(streams), _failures(*cut)),
        Count("bedrock-anthropic", PASSED, 1, _failures(tests.test_asks_claude_as_was_recorded)),
    ]


def _gemini() -> list[Count]:
    tests = _module("gemini.test_vectors")
    streams = tests.recorded("streamGenerateContent")
    wholes = [one for one in tests.recorded("generateContent") if one.status == 200]
    proofs = [getattr(tests, name) for name in dir(tests) if name.startswith("test_") and "cut" not in name]
    proven = _failures(*proofs)

    def cut() -> None:
        for surface in (Surface.CHAT, Surface.MESSAGES, Surface.RESPONSES):
            tests.test_reads_streams_the_same_wherever_they_are_cut(surface)

    return [
        Count("gemini", WRITTEN, 131, proven),  # the number that the test itself insists on
        Count("gemini", SAID, len(wholes) + len(streams), proven),
        Count("gemini", USED, len(wholes) + len(streams), proven),
        Count("gemini", CUT, len(streams), _failures(cut, tests.test_reads_streams_the_same_in_small_portions)),
    ]


def _cohere() -> list[Count]:
    tests = _module("cohere.test_vectors")
    chats = tests.recorded("/v2/chat")
    requests, answers = tests.test_writes_every_recorded_request, tests.test_reads_every_answer
    return [
        Count("cohere", WRITTEN, len(chats), _failures(requests)),
        Count("cohere", SAID, len(chats), _failures(answers)),
        Count("cohere", USED, len(chats), _failures(answers)),
    ]
