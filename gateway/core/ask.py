"""What a client asked, parsed: the value that every later stage reads.

A surface (`gateway.formats`) reads the client's JSON into an `Ask`; `survey` draws from the neutral form what routing needs to
know, once, so that no later stage walks the conversation again.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from hashlib import blake2b

from gateway.core import catalog
from gateway.core.chat import ChatRequest, Image, Json, Media, Message, Part, Role, Text, Thinking, ToolCall, ToolResult


class Surface(StrEnum):
    """A client API. The value is the word used in records and metrics."""

    CHAT = "chat"
    COMPLETIONS = "completions"
    MESSAGES = "messages"
    COUNT_TOKENS = "count_tokens"
    EMBEDDINGS = "embeddings"

    @property
    def operation(self) -> catalog.Operation:
        """What the endpoint must be able to do; completions are served by chat models as well (translated)."""
        return catalog.Operation.EMBEDDINGS if self is Surface.EMBEDDINGS else catalog.Operation.CHAT


@dataclass(frozen=True, slots=True)
class EmbedRequest:
    """An embeddings request; `inputs` are the texts (token arrays are counted in `token_inputs`)."""

    inputs: tuple[str, ...]
    token_inputs: int = 0  # tokens given as numbers
    dimensions: int | None = None
    encoding_format: str | None = None  # "float" | "base64" | None


@dataclass(frozen=True, slots=True)
class Survey:
    """Facts about a request that routing reads."""

    prompt: str  # the last user message's text: what the classifier reads
    texts: tuple[str, ...]  # every text of the request, for the scanner
    chars: int  # of all texts, tool specifications included
    images: int
    media: int  # audio and files
    needs: frozenset[str]  # capability words of `core.catalog` an endpoint must have
    prefix_hash: str  # of the conversation's opening, the default session
    signed_by: frozenset[str]  # wire formats whose signed reasoning the conversation carries
    max_tokens: int | None
    reasoning: bool  # reasoning was asked for

    @property
    def unreadable(self) -> bool:
        """Whether something is in the request that the scanner cannot read."""
        return bool(self.images or self.media)


@dataclass(frozen=True, slots=True)
class Ask:
    surface: Surface
    model: str  # as the client named it
    stream: bool
    body: Mapping[str, Json]  # the client's JSON without the gateway's own extras
    survey: Survey
    chat: ChatRequest | None = None  # None for embeddings
    embed: EmbedRequest | None = None
    bytes: int = 0  # of the body as received

    @property
    def include_usage(self) -> bool:
        return self.chat is not None and self.chat.include_usage


PREFIX_CHARS = 2_000  # enough system prompt and first question to tell conversations apart; hashing it costs about 2 µs


def survey_chat(chat: ChatRequest) -> Survey:
    """Facts of a conversation, in one walk over its parts."""
    texts: list[str] = []
    images = media = 0
    needs: set[str] = set()
    signed: set[str] = set()
    for message in chat.messages:
        for part in _flat(message):
            match part:
                case Text(text=text):
                    texts.append(text)
                case Image():
                    images += 1
                    needs.add(catalog.VISION)
                case Media(kind=kind):
                    media += 1
                    needs.add(catalog.AUDIO if kind == "audio" else catalog.PDF)
                case Thinking(text=text):
                    texts.append(text)
                    if part.format and (part.signature or part.redacted):
                        signed.add(part.format)
                case ToolCall(arguments=arguments):
                    texts.append(arguments)
                case ToolResult():
                    pass  # its parts follow
    for tool in chat.tools:
        texts.append(f"{tool.name} {tool.description or ''} {tool.parameters}")
    if chat.tools:
        needs.add(catalog.TOOLS)
    if chat.response_format is not None and chat.response_format.kind == "json_schema":
        needs.add(catalog.JSON_SCHEMA)
        texts.append(str(chat.response_format.schema))
    return Survey(
        prompt=_last_user_text(chat.messages),
        texts=tuple(texts),
        chars=sum(map(len, texts)),
        images=images,
        media=media,
        needs=frozenset(needs),
        prefix_hash=_prefix_hash(chat.messages),
        signed_by=frozenset(signed),
        max_tokens=chat.max_tokens,
        reasoning=chat.reasoning is not None and chat.reasoning.effort != "none",
    )


def survey_embed(embed: EmbedRequest) -> Survey:
    """Facts of an embeddings request; numbers given as tokens count as four characters each."""
    return Survey(
        prompt=embed.inputs[0] if embed.inputs else "",
        texts=embed.inputs,
        chars=sum(map(len, embed.inputs)) + 4 * embed.token_inputs,
        images=0,
        media=0,
        needs=frozenset(),
        prefix_hash="",
        signed_by=frozenset(),
        max_tokens=None,
        reasoning=False,
    )


def _flat(message: Message) -> Iterator[Part]:
    for part in message.parts:
        yield part
        if isinstance(part, ToolResult):
            yield from part.parts


def _last_user_text(messages: tuple[Message, ...]) -> str:
    for message in reversed(messages):
        if message.role is Role.USER:
            found = [part.text for part in message.parts if isinstance(part, Text)]
            if found:
                return found[0] if len(found) == 1 else "\n".join(found)
    return ""


def _prefix_hash(messages: tuple[Message, ...]) -> str:
    """Hash of the system prompt and the first user text: the part of a conversation that every later turn repeats."""
    digest = blake2b(digest_size=8)
    for message in messages:
        for part in message.parts:
            if isinstance(part, Text):
                digest.update(part.text[:PREFIX_CHARS].encode("utf-8", "surrogatepass"))
        if message.role is Role.USER:
            break
    return digest.hexdigest()
