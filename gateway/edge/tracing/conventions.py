"""Names of attributes, as spans carry them.

Sources, looked up on 2026-11-25: OpenTelemetry's conventions for GenAI (open-telemetry/semantic-conventions-genai on
GitHub, docs/gen-ai/client-inference.md; all in development, so they stand here and come from no package, which moves)
and the stable ones of HTTP, servers and errors (semantic conventions 1.41). Cost has none: what is ours begins with
`pointsman.`.
"""

from gateway.core.ask import Surface

# -- GenAI, on the spans of attempts -----------------------------------------------------------------------------------

OPERATION_NAME = "gen_ai.operation.name"
PROVIDER_NAME = "gen_ai.provider.name"
REQUEST_MODEL = "gen_ai.request.model"
REQUEST_STREAM = "gen_ai.request.stream"
REQUEST_MAX_TOKENS = "gen_ai.request.max_tokens"
REQUEST_TEMPERATURE = "gen_ai.request.temperature"
REQUEST_TOP_P = "gen_ai.request.top_p"
REQUEST_TOP_K = "gen_ai.request.top_k"
REQUEST_FREQUENCY_PENALTY = "gen_ai.request.frequency_penalty"
REQUEST_PRESENCE_PENALTY = "gen_ai.request.presence_penalty"
REQUEST_SEED = "gen_ai.request.seed"
REQUEST_STOP_SEQUENCES = "gen_ai.request.stop_sequences"
REQUEST_CHOICE_COUNT = "gen_ai.request.choice.count"  # only where it is not 1
REQUEST_REASONING_LEVEL = "gen_ai.request.reasoning.level"
REQUEST_ENCODING_FORMATS = "gen_ai.request.encoding_formats"  # of embeddings
EMBEDDINGS_DIMENSIONS = "gen_ai.embeddings.dimension.count"
OUTPUT_TYPE = "gen_ai.output.type"
TIME_TO_FIRST_CHUNK = "gen_ai.response.time_to_first_chunk"  # seconds
INPUT_TOKENS = "gen_ai.usage.input_tokens"  # cached ones included
OUTPUT_TOKENS = "gen_ai.usage.output_tokens"  # reasoning included
CACHE_READ_TOKENS = "gen_ai.usage.cache_read.input_tokens"
CACHE_CREATION_TOKENS = "gen_ai.usage.cache_creation.input_tokens"
REASONING_TOKENS = "gen_ai.usage.reasoning.output_tokens"
INPUT_MESSAGES = "gen_ai.input.messages"
OUTPUT_MESSAGES = "gen_ai.output.messages"
CAPTURE_VARIABLE = "OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT"

OPERATIONS = {
    Surface.CHAT: "chat",
    Surface.MESSAGES: "chat",
    Surface.RESPONSES: "chat",
    Surface.COMPLETIONS: "text_completion",
    Surface.EMBEDDINGS: "embeddings",
}  # of others the surface's own word: the convention allows custom values

# By the host of the provider's address: who is called otherwise there is still the same vendor.
PROVIDERS_BY_HOST = {
    "api.openai.com": "openai",
    "api.anthropic.com": "anthropic",
    "generativelanguage.googleapis.com": "gcp.gemini",
    "api.mistral.ai": "mistral_ai",
    "api.deepseek.com": "deepseek",
    "api.x.ai": "x_ai",
    "api.groq.com": "groq",
    "api.cohere.com": "cohere",
    "api.perplexity.ai": "perplexity",
}
# By the beginning of the wire format's name: clouds have an address per region or account.
PROVIDERS_BY_CLOUD = {"bedrock": "aws.bedrock", "vertex": "gcp.vertex_ai", "azure": "azure.ai.openai"}

# -- HTTP, servers, errors ---------------------------------------------------------------------------------------------

HTTP_METHOD = "http.request.method"
HTTP_ROUTE = "http.route"
HTTP_STATUS = "http.response.status_code"
URL_PATH = "url.path"
URL_SCHEME = "url.scheme"
SERVER_ADDRESS = "server.address"
SERVER_PORT = "server.port"
ERROR_TYPE = "error.type"

# -- ours --------------------------------------------------------------------------------------------------------------

DECISION_ID = "pointsman.decision.id"
OUTCOME = "pointsman.outcome"
SURFACE = "pointsman.surface"
MODEL = "pointsman.model"  # as the client named it
ROUTE = "pointsman.route"
VARIANT = "pointsman.variant"
TASK = "pointsman.task"
TIER = "pointsman.tier"  # that was required
SENSITIVITY = "pointsman.sensitivity"
ESCALATED = "pointsman.escalated"
KEY_ID = "pointsman.key.id"  # of the client
TAG = "pointsman.tag."  # and the tag's name
COST_USD = "pointsman.cost.usd"
SAVED_USD = "pointsman.saved.usd"
ENDPOINT = "pointsman.endpoint"
ATTEMPT = "pointsman.attempt"  # its number, from 1
ATTEMPTS = "pointsman.attempts"
FAILOVER_REASON = "pointsman.failover.reason"  # how the attempt before ended
ESTIMATED = "pointsman.usage.estimated"
FIRST_TOKEN = "pointsman.first_token"  # noqa: S105 - an event's name, not a secret
