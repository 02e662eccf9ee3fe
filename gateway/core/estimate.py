"""How many tokens a request will probably and at most consume, before it is sent.

Estimates order candidates; bounds keep promises. They are different numbers and never mixed: an estimate may be
wrong, a bound may not.
"""

from gateway.core.ask import Ask
from gateway.core.catalog import PDF

CHARS_PER_TOKEN = 4  # OpenAI's rule of thumb for English text; code and other scripts are denser
BYTES_PER_TOKEN_OTHER = 3  # UTF-8 bytes, for text that is not plain ASCII
TOKENS_PER_MESSAGE = 4  # role and separators, OpenAI cookbook "how to count tokens"
TOKENS_PER_IMAGE = 1_000  # a 1024x1024 image: 765 (GPT-4o, high detail) to 1,400 (Claude: w*h/750)

IMAGE_BOUND_TOKENS = 50_000  # the dearest published counting: GPT-4o mini, 2,833 + 8 tiles x 5,667, rounded up
OVERHEAD_BOUND_TOKENS = 2_000  # tool-use system prompts that providers add (Anthropic: up to 735) with room to spare

# Fields (as `ChatRequest.unplaced` names them) that raise prices, fetch input or make output nobody sees; and the types
# of tools that do none of this, since the client runs them. All others run at the provider, at its own price.
CHARGING_FIELDS = frozenset(
    {
        "service_tier", "speed", "inference_geo", "best_of", "prediction", "web_search_options", "plugins",
        "mcp_servers", "container", "transforms", "previous_response_id", "conversation", "prompt",
        "input[].type=item_reference",
    }
)  # fmt: skip
TOOL_TYPE = "tools[].type="
TOOLS_OF_CLIENTS = ("custom", "bash", "text_editor", "computer", "memory")

# Expected answer lengths in tokens. Only their order of magnitude matters: they weigh output against input prices.
EXPECTED_OUTPUT = {
    "code": 700,
    "math": 500,
    "reasoning": 600,
    "creative": 800,
    "summarization": 200,
    "classification": 16,
    "extraction": 150,
    "translation": 250,
    "factual": 150,
    "email": 250,
    "chat": 200,
}
EXPECTED_OUTPUT_OTHER = 300
REASONING_OUTPUT = 1_500  # hidden reasoning that comes on top, where a request asks for reasoning


def text_tokens(text: str) -> int:
    """Rough number of tokens of one text."""
    if text.isascii():
        return len(text) // CHARS_PER_TOKEN
    return len(text.encode("utf-8", "surrogatepass")) // BYTES_PER_TOKEN_OTHER


def input_tokens(ask: Ask) -> int:
    """Probable input tokens of the whole request."""
    survey = ask.survey
    tokens = survey.images * TOKENS_PER_IMAGE
    for text in survey.texts:
        tokens += text_tokens(text)
    if ask.embed is not None:
        tokens += ask.embed.token_inputs
    else:
        tokens += TOKENS_PER_MESSAGE * (1 if ask.chat is None else len(ask.chat.messages))
    return tokens or 1


def opening_tokens(ask: Ask) -> int:
    """Probable input tokens of the conversation's first request, counted as it was counted then."""
    return sum(map(text_tokens, ask.survey.repeated)) + 2 * TOKENS_PER_MESSAGE


def input_bound(ask: Ask) -> int | None:
    """Most input tokens the request can be counted as; None where no bound is known: media by URL or by id, files
    (a compressed page of a few bytes is counted as text and as an image), and fields that change what is charged.

    No tokenizer makes more tokens than the text has bytes, and the JSON body has at least the bytes of its texts.
    """
    survey = ask.survey
    if (survey.remote and survey.media) or PDF in survey.needs:
        return None
    chat = ask.chat
    if chat is not None and (chat.unplaced or chat.offered) and any(map(_unbounded, chat.unplaced | chat.offered)):
        return None
    readings = 1 if ask.passed is None else ask.passed.readings
    return ask.bytes * readings + OVERHEAD_BOUND_TOKENS + survey.images * IMAGE_BOUND_TOKENS


def _unbounded(field: str) -> bool:
    """Whether a field can make the provider count or charge more than the request's bytes and limits say."""
    if field.startswith(TOOL_TYPE):
        return not field.removeprefix(TOOL_TYPE).startswith(TOOLS_OF_CLIENTS)
    return field in CHARGING_FIELDS


def output_tokens(ask: Ask, task: str) -> int:
    """Probable output tokens: what the task usually takes, within the client's own limit."""
    if ask.embed is not None or ask.passed is not None:
        return 0
    expected = EXPECTED_OUTPUT.get(task, EXPECTED_OUTPUT_OTHER)
    if ask.survey.reasoning:
        expected += REASONING_OUTPUT
    limit = ask.survey.max_tokens
    if limit is not None and limit < expected:
        expected = limit
    return expected if ask.chat is None else expected * ask.chat.n
