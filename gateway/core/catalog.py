"""Providers, models and endpoints, as the router sees them.

An endpoint is one model at one provider: the unit that is priced, probed, broken and chosen. Rows come from the
compiled catalog in the package and from `pointsman.yaml`; both are joined in `gateway.config`, which hands over these
values.
"""

from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum


class Operation(StrEnum):
    """What an endpoint can be asked to do."""

    CHAT = "chat"
    COMPLETIONS = "completions"  # legacy text completion, natively
    EMBEDDINGS = "embeddings"
    RERANK = "rerank"
    MODERATION = "moderation"
    IMAGE = "image"  # made from a description
    SPEECH = "speech"  # from text
    TRANSCRIPTION = "transcription"  # text from speech; into English where the endpoint has TRANSLATION


PASSED = frozenset(
    {Operation.RERANK, Operation.MODERATION, Operation.IMAGE, Operation.SPEECH, Operation.TRANSCRIPTION}
)
"""Operations without a neutral form: their requests and answers pass as they are."""


# Capability words, used in `Endpoint.caps`, in `Survey.needs` and (after "capability:") in reason codes.
TOOLS = "tools"
JSON_SCHEMA = "json_schema"
VISION = "vision"
AUDIO = "audio"
PDF = "pdf"
REASONING = "reasoning"
TRANSLATION = "translation"
ASSUMED_CAPS = frozenset({TOOLS, JSON_SCHEMA})  # of a configured model that declares none (CONTRACT §3)


@dataclass(frozen=True, slots=True)
class Privacy:
    """What a provider guarantees about data. `None` is unknown, and unknown is never a guarantee."""

    trains_on_data: bool | None = None
    retention_days: int | None = None
    regions: frozenset[str] | None = None
    certifications: frozenset[str] | None = None
    source: str = ""
    reviewed: date | None = None
    expires: date | None = None  # from this day on every fact of the row is unknown


@dataclass(frozen=True, slots=True)
class Timeouts:
    """Seconds. `first_token` is for streams, `answer` for the head of whole replies."""

    connect_s: float = 2.0
    first_token_s: float = 20.0
    first_token_reasoning_s: float = 120.0
    answer_s: float = 300.0
    idle_s: float = 30.0


@dataclass(frozen=True, slots=True)
class ProbeRules:
    every_s: float = 30.0
    by: str = "auto"  # auto | models | completion | tcp | none
    timeout_s: float = 10.0
    budget_usd_per_day: float = 1.0


@dataclass(frozen=True, slots=True)
class KeyRef:
    """Where a provider's key is read: a file, a variable, or nowhere. Never the key itself."""

    file: str | None = None
    env: str | None = None
    none: bool = False
    identity: str | None = None  # instead: what this workload is at a cloud, "aws" | "azure" | "google"


@dataclass(frozen=True, slots=True)
class Provider:
    id: str
    api: str  # wire format, a name in `formats.registry`
    base_url: str
    key: KeyRef
    region: str | None = None
    privacy: Privacy = Privacy()
    timeouts: Timeouts = Timeouts()
    probe: ProbeRules = ProbeRules()
    max_in_flight: int = 200
    headers: tuple[tuple[str, str], ...] = ()  # fixed extra headers from the catalog row
    also_speaks: tuple[str, ...] = ()  # further wire formats under the same base URL, of its chat models
    trace_context: bool = False  # whether it is told whose trace its requests belong to
    cancellable: bool = True  # whether an answer that is broken off is no longer generated, and billed


@dataclass(frozen=True, slots=True)
class Endpoint:
    id: str  # "provider/model"
    provider: str
    model: str  # what users name
    upstream_id: str  # what the provider calls it
    base_model: str  # same weights elsewhere have the same value: failover within "the same model"
    api: str  # the wire format it is asked in, mostly its provider's
    operation: Operation = Operation.CHAT
    tier: int | None = None  # index in the configured tiers; None: unknown, serves only when named
    context: int | None = None  # tokens of prompt and answer together
    max_output: int | None = None
    caps: frozenset[str] = ASSUMED_CAPS
    dimensions: int | None = None  # of embeddings
    deprecated: bool = False
    quirks: frozenset[str] = frozenset()  # words the wire format's file knows, e.g. "max_completion_tokens"
    also_speaks: tuple[str, ...] = ()  # further wire formats it can be asked in, where a client speaks them itself

    @property
    def family(self) -> str:
        return family_of(self.api)


def family_of(api: str) -> str:
    """The wire format whose JSON and whose signatures are this one's: a host's variant is named HOST-FORMAT."""
    return api.rpartition("-")[2]


@dataclass(frozen=True, slots=True)
class Catalog:
    providers: dict[str, Provider] = field(default_factory=dict)
    endpoints: dict[str, Endpoint] = field(default_factory=dict)  # by id, in catalog order
