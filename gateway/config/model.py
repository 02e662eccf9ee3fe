"""The shape of `pointsman.yaml`: every key there is, its type and its default (CONTRACT §3).

Owns what one value may look like by itself. Whether names exist and values fit each other is checked in `compile`,
which knows the catalog. Unknown keys are refused everywhere: a misspelt limit must not pass as no limit.
"""

from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from gateway.config.words import (
    Age,
    Count,
    Duration,
    Glob,
    Globs,
    HeaderName,
    Id,
    ModelId,
    Models,
    OnlyGlobs,
    Sha256,
    Share,
    Tokens,
    Usd,
)


class Section(BaseModel):
    """Strict: `"30"` is no number and `1` is no truth value."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, use_attribute_docstrings=True)


def _empty_is_default(value: Any) -> Any:
    return {} if value is None else value


class KeySource(Section):
    """Where the key is read; exactly one. Never the key itself."""

    env: Annotated[str, Field(pattern=r"^[A-Za-z_][A-Za-z0-9_]{0,127}$")] | None = None
    """Name of an environment variable."""
    file: Annotated[str, Field(pattern=r"^/[^\x00]{1,1023}$")] | None = None
    """Absolute path; read again when it changes."""
    none: Literal[True] | None = None
    """This server asks for no key."""
    identity: Literal["aws", "azure", "google"] | None = None
    """What this workload is at a cloud: its role, its service account, its managed identity."""

    @model_validator(mode="after")
    def _exactly_one(self) -> Self:
        if len(self.model_fields_set) != 1:
            raise ValueError("must say exactly one of: env: NAME, file: /path, identity: CLOUD, none: true")
        return self


class PrivacyFacts(Section):
    """What the operator vouches for, for this provider. What is left out stays as the catalog says, or unknown."""

    trains_on_data: bool | None = None
    retention_days: Annotated[int, Field(ge=0, le=36500)] | None = None
    regions: Annotated[list[Id], Field(min_length=1)] | None = None
    certifications: list[Id] | None = None


class PriceRow(Section):
    """USD per million tokens; `per_request` in USD. A zero given here is a price."""

    input: Usd
    output: Usd
    cached_input: Usd | None = None
    cache_write: Usd | None = None
    cache_write_1h: Usd | None = None
    reasoning: Usd | None = None
    per_request: Usd = 0.0


class ModelRow(Section):
    id: ModelId
    """What users name."""
    upstream_id: Annotated[str, Field(min_length=1, max_length=500)] | None = None
    """What the provider calls it; default: the id."""
    same_as: ModelId | None = None
    """A catalog model with the same weights: facts not given here come from it, and one may stand in for the other."""
    like: ModelId | None = None
    """A catalog model whose facts not given here it shares, at this provider its price too; neither stands in for the
    other: a second name, a deployment of its own."""
    api: Annotated[str, Field(max_length=64)] | None = None
    """Wire format of this model, where it is not its provider's."""
    operation: (
        Literal["chat", "completions", "embeddings", "rerank", "moderation", "image", "speech", "transcription"] | None
    ) = None
    tier: Id | None = None
    context: Tokens | None = None
    max_output: Tokens | None = None
    dimensions: Annotated[int, Field(ge=1, le=1_000_000)] | None = None
    """Of the vectors of an embedding model."""
    caps: list[Literal["tools", "json_schema", "vision", "audio", "pdf", "reasoning", "translation"]] | None = None
    """Default: tools, json_schema."""
    price: PriceRow | None = None


class ProbeRow(Section):
    every: Duration = 30.0
    by: Literal["auto", "models", "completion", "tcp", "none"] = "auto"
    timeout: Duration = 10.0
    budget_usd_per_day: Usd = 1.0


class TimeoutsRow(Section):
    connect: Duration = 2.0
    first_token: Duration | None = None
    """Of streams; default 20s, and 120s for reasoning models, which get at least that in any case."""
    answer: Duration = 300.0
    """Until the head of a whole reply."""
    idle: Duration = 30.0


class ProviderRow(Section):
    like: Id | None = None
    """A catalog provider whose wire format, models, prices and key variable it shares: a second account or region."""
    api: Annotated[str, Field(max_length=64)] | None = None
    """Wire format."""
    also_speaks: Annotated[list[Annotated[str, Field(max_length=64)]], Field(max_length=16)] | None = None
    """Further wire formats under the same base URL: who speaks one of them is not translated, e.g. [responses]."""
    base_url: Annotated[str, Field(max_length=2000)] | None = None
    key: KeySource | None = None
    """Default: the file /var/run/secrets/pointsman/PROVIDER/key, else the catalog's variable."""
    region: Id | None = None
    """Where this account's data stays; the same as `privacy: {regions: [REGION]}`. Where the catalog's base URL has a
    place for it, a part of the address alone, which guarantees nothing."""
    project: Id | None = None
    """Of Google Cloud: a part of the address."""
    resource: Id | None = None
    """Of Azure: a part of the address."""
    api_version: Annotated[str, Field(pattern=r"^[0-9A-Za-z][0-9A-Za-z-]{0,31}$")] | None = None
    """Of Azure OpenAI, where deployments have paths of their own; without it the API is `/openai/v1`."""
    privacy: PrivacyFacts | None = None
    models: Annotated[list[ModelRow], Field(max_length=10_000)] | None = None
    """Models added to the catalog's, or changed in what is given here."""
    only: OnlyGlobs | None = None
    """Of the catalog's models, these alone; default: all. Empty: none but those under `models`."""
    probe: ProbeRow = ProbeRow()
    timeouts: TimeoutsRow = TimeoutsRow()
    max_in_flight: Count = 200
    trace_context: bool = False
    """Send traceparent and tracestate (W3C) along, for a server of your own that makes spans."""
    cancellable: bool = True
    """false where answers are generated, and billed, to their end though the client has left: what may be billed for a
    cancelled request is recorded then, rather than what was seen."""


class ClientKeyRow(Section):
    id: Id
    """May stand twice, with two hashes, while a key is being replaced."""
    sha256: Sha256
    """Of the key: printf %s KEY | sha256sum."""


class Auth(Section):
    keys: Annotated[list[ClientKeyRow], Field(min_length=1, max_length=10_000)]


class When(Section):
    """Every condition given must hold."""

    regex: Annotated[str, Field(min_length=1, max_length=1000)] | None = None
    phrases: Annotated[list[Annotated[str, Field(min_length=1, max_length=200)]], Field(min_length=1)] | None = None
    """Any one of them is enough; whole words, in any case."""

    @model_validator(mode="after")
    def _something(self) -> Self:
        if self.regex is None and self.phrases is None:
            raise ValueError("must say regex: or phrases:")
        return self


class TaskRule(Section):
    task: Id
    when: When


class Classify(Section):
    by: Literal["rules", "learned", "rules+learned"] = "rules"
    rules: Annotated[list[TaskRule], Field(max_length=1000)] = []
    """First match wins; they stand before the built-in ones."""
    task_tiers: dict[Id, Id] = {}
    """Added to the default table; a new task is made by giving it a tier here."""


class RequireRow(Section):
    """What a provider must guarantee."""

    trains_on_data: Literal[False] | None = None
    retention_days: Annotated[int, Field(ge=0, le=36500)] | None = None
    """At most this many."""
    regions: Annotated[list[Id], Field(min_length=1)] | None = None
    """The provider's regions must all be among these."""
    certifications: Annotated[list[Id], Field(min_length=1)] | None = None
    """The provider must have all of these."""


class LabelRow(Section):
    require: RequireRow | None = None
    detect: bool = False
    """The scanner's finding puts this label on."""
    content: Literal["allowed", "never"] | None = None
    """Whether records may keep text; default: never where `require` stands, else allowed."""


class MatchRow(Section):
    header: Annotated[dict[HeaderName, Globs], Field(min_length=1)] | None = None
    """All of them must fit."""
    key: Globs | None = None
    """Ids of `auth.keys`."""
    model: Globs | None = None
    """As the client named it."""


class TierRange(Section):
    min: Id | None = None
    max: Id | None = None
    """Caps what is required, not what may serve."""


class LatencyRow(Section):
    first_token_p95: Duration


class LimitsRow(Section):
    cost_per_request: Annotated[float, Field(gt=0, le=1_000_000, allow_inf_nan=False)] | None = None
    """USD; a promise, over all attempts of a request."""
    attempts: Annotated[int, Field(ge=1, le=20)] = 4
    deadline: Duration = 600.0
    """Until the first content goes out."""
    total: Duration = 3600.0


class Arm(Section):
    name: Id
    weight: Annotated[float, Field(gt=0, le=1_000_000, allow_inf_nan=False)]
    prefer: Globs | None = None
    """Endpoint ids, tried first where eligible."""


class EscalateRow(Section):
    share: Share
    to: Id
    by: Literal["score", "feedback"] = "score"
    bad: dict[Id, Share] = {}
    """By feedback: the share of a task's answers that were found bad, as `pointsman tune` measures it."""


class Strategy(Section):
    escalate: EscalateRow | None = None


class EvaluateRow(Section):
    """Blind evaluation: a share of the requests is answered by the neighbouring tier as well, and the two compared."""

    share: Annotated[float, Field(gt=0, le=1, allow_inf_nan=False)] = 0.02
    """Of the requests that the router chose a tier for."""
    against: Id | None = None
    """The highest tier that is compared with the one below it; default: the highest there is."""
    budget_usd_per_day: Usd = 5.0
    """For second answers and judgements together."""
    judge: Annotated[str, Field(min_length=1, max_length=260)] = "people"
    """people, a model or endpoint, or both."""
    judge_model: Annotated[str, Field(min_length=1, max_length=260)] | None = None
    """Beside people, with `judge: both`; default: the cheapest endpoint of tier `against`."""
    max_loss: Annotated[float, Field(gt=0, lt=1, allow_inf_nan=False)] = 0.02
    """Of quality, on average, that sending requests to a lower tier may cost."""
    confidence: Annotated[float, Field(ge=0.5, lt=1, allow_inf_nan=False)] = 0.95
    """That it costs no more."""
    auto: bool = True
    """false: certificates are shown and proposed, and change nothing."""
    keep: Age = 90 * 86400.0
    """The texts."""


class RouteRow(Section):
    name: Id
    match: MatchRow | None = None
    sensitivity: Id | None = None
    """A floor."""
    tier: TierRange = TierRange()
    named_model: Literal["exact", "tier", "any"] = "exact"
    objective: Literal["cost", "latency", "balanced"] = "cost"
    latency: LatencyRow | None = None
    limits: LimitsRow = LimitsRow()
    baseline: Glob | None = None
    """Endpoint id that savings are counted against; may be any of the catalog."""
    split: Annotated[list[Arm], Field(min_length=1, max_length=100)] | None = None
    strategy: Strategy = Strategy()
    model: Models | None = None
    """What `auto` means here: this model, or one of these, for whatever they can be asked."""
    fallbacks: Models | None = None
    """Models that are tried in turn when what the request names cannot serve; its own `models` take their place."""
    record: Literal["full"] | None = None
    """Keep texts in the decision record, where every label of the request allows it."""
    evaluate: EvaluateRow | None = None
    """Compare the answers of neighbouring tiers, so that what needs no higher tier is known and goes to the lower."""


class BreakerRow(Section):
    failures: Count = 5
    """In a row."""
    window: Duration = 30.0
    error_rate: Annotated[float, Field(gt=0, le=1, allow_inf_nan=False)] = 0.2
    min_requests: Count = 20
    open_for: Duration = 30.0
    open_for_max: Duration = 300.0
    half_open_probes: Count = 1


class File(Section):
    providers: (
        Annotated[
            dict[Id, Annotated[ProviderRow, BeforeValidator(_empty_is_default)]], Field(min_length=1, max_length=1000)
        ]
        | None
    ) = None
    """By provider id. Without this block: every catalog provider whose key is present."""
    auth: Auth | None = None
    """Without this block the API is open."""
    tiers: Annotated[list[Id], Field(min_length=1, max_length=16)] = ["small", "medium", "large"]
    """In ascending order."""
    classify: Classify = Classify()
    sensitivity: (
        Annotated[dict[Id, Annotated[LabelRow, BeforeValidator(_empty_is_default)]], Field(max_length=100)] | None
    ) = None
    """All the labels there are. Without this block: public, internal, pii, eu-only, none of them by detection."""
    routes: Annotated[list[RouteRow], Field(max_length=1000)] = []
    """First match wins. Where none is without `match`, a route named default follows them."""
    breaker: BreakerRow = BreakerRow()
    compat: Annotated[list[Literal["litellm", "portkey"]], Field(min_length=1, max_length=2)] | None = None
    """Other gateways whose fields and headers are understood: clients of theirs need no change."""
