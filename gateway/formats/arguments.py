"""Tool call arguments as the object that Anthropic's format wants, from the JSON text that OpenAI's has."""

from gateway.core.chat import Json
from gateway.formats import codec

INVALID = "INVALID_JSON"  # the wrapper that Anthropic's tool use guide gives for arguments a model got wrong


def read_arguments(arguments: str) -> dict[str, Json]:
    """Empty text is no arguments; text that is no JSON object is wrapped, not lost."""
    if not arguments.strip():
        return {}
    try:
        value = codec.loads(arguments.encode("utf-8", "surrogatepass"))
    except ValueError:
        return {INVALID: arguments}
    return value if isinstance(value, dict) else {INVALID: arguments}
