"""What a client asked, parsed: the value that every later stage reads.

A surface (`gateway.formats`) reads the client's JSON into an `Ask`; `survey` draws from the neutral form what routing
needs to know, once, so that no later stage walks the conversation again.
"""

from collections.abc import Mapping
from enum import StrEnum
from hashlib import blake2b

from gateway.core import catalog
from gateway.core.chat import ChatRequest, Image, Json, Media, Message, Part, Role, Text, Thinking, ToolCall, ToolResult
from gateway.core.value import Note, Value


class Surface(StrEnum):
    """A client API. The value is the word used in records and metrics."""

    CHAT = "chat"
    COMPLETIONS = "completions"
    MESSAGES = "messages"
    COUNT_TOKENS = "count_tokens"
    EMBEDDINGS = "embeddings"
    RESPONSES = "responses"
    RERANK = "rerank"
    MODERATIONS = "moderations"
    IMAGES = "images"
    SPEECH = "speech"
    TRANSCRIPTIONS = "transcriptions"
    TRANSLATIONS = "translations"

    @property
    def operation(self) -> catalog.Operation:
        """What the endpoint must be able to do; completions are served by chat models as well (translated)."""
        return _OPERATIONS.get(self, catalog.Operation.CHAT)


_OPERATIONS = {
    Surface.EMBEDDINGS: catalog.Operation.EMBEDDINGS,
    Surface.RERANK: catalog.Operation.RERANK,
    Surface.MODERATIONS: catalog.Operation.MODERATION,
    Surface.IMAGES: catalog.Operation.IMAGE,
    Surface.SPEECH: catalog.Operation.SPEECH,
    Surface.TRANSCRIPTIONS: catalog.Operation.TRANSCRIPTION,
    Surface.TRANSLATIONS: catalog.Operation.TRANSCRIPTION,
}


class EmbedRequest(Value):
    """An embeddings request; `inputs` are the texts (token arrays are counted in `token_inputs`)."""

    inputs: tuple[str, ...]
    token_inputs: int = 0  # tokens given as numbers
    dimensions: int | None = None
    encoding_format: str | None = None  # "float" | "base64" | None


class FormPart(Value):
    """One part of a form, as its bytes."""

    name: str
    head: bytes  # its header lines, with the empty one
    content: bytes


class Form(Value):
    """A body of type multipart/form-data."""

    boundary: bytes
    parts: tuple[FormPart, ...]


class PassedRequest(Value):
    """A request that is passed on as it is, and what bounds its cost."""

    units: float | None  # of what a fee may be charged for, at most: images, characters, search units; None: unknown
    readings: int = 1  # how often its text may be counted as input at most: a query is read with every document
    form: Form | None = None  # what came, where it was no JSON


class Survey(Value):
    """Facts about a request that routing reads."""

    prompt: str  # the last user message's text: what the classifier reads
    opening: str  # the first user message's last text: what the classifier read when the conversation began
    repeated: tuple[str, ...]  # by every turn: system prompt, first user message, tool specifications, schema
    turns: int  # answers already given in this conversation
    texts: tuple[str, ...]  # every text of the request, for the scanner
    chars: int  # of all texts, tool specifications included
    images: int
    media: int  # audio and files
    remote: bool  # an image, audio or file is given by URL or id: its size is unknown here
    needs: frozenset[str]  # capability words of `core.catalog` an endpoint must have
    prefix_hash: str  # of the conversation's opening, the default session
    signed_by: frozenset[str]  # wire formats whose signed reasoning the conversation carries
    max_tokens: int | None
    reasoning: bool  # reasoning was asked for
    plain: bool = False  # texts without names, a limit and nothing else: there is no wire format that cannot say it

    @property
    def unreadable(self) -> bool:
        """Whether something is in the request that the scanner cannot read."""
        return bool(self.images or self.media)


class Ask(Value):
    surface: Surface
    model: str  # as the client named it
    stream: bool
    body: Mapping[str, Json]  # the client's JSON without the gateway's own extras
    survey: Survey
    chat: ChatRequest | None = None  # of the three, one is given
    embed: EmbedRequest | None = None
    bytes: int = 0  # of the body as received
    passed: PassedRequest | None = None

    @property
    def include_usage(self) -> bool:
        return self.chat is not None and self.chat.include_usage


NOTHING: frozenset[str] = frozenset()
_USER, _ASSISTANT = Role.USER, Role.ASSISTANT  # a member of an enum costs ten times a name; messages ask thrice
PREFIX_CHARS = 2_000  # enough system prompt and first question to tell conversations apart; hashing it costs about 2 µs


def survey_chat(chat: ChatRequest) -> Survey:
    """Facts of a conversation, in one walk over its parts."""
    tally = _Tally()
    for message in chat.messages:
        tally.hear(message)
    texts, needs = tally.texts, tally.needs
    said = len(texts)
    if chat.tools:
        needs.add(catalog.TOOLS)
        texts.extend(f"{tool.name} {tool.description or ''} {tool.parameters}" for tool in chat.tools)
    if chat.response_format is not None and chat.response_format.kind == "json_schema":
        needs.add(catalog.JSON_SCHEMA)
        texts.append(str(chat.response_format.schema))
    opening = tally.opening
    return Survey(
        prompt=tally.prompt,
        opening=opening[-1] if opening else "",
        repeated=(*opening, *texts[said:]),
        turns=tally.turns,
        texts=tuple(texts),
        chars=sum(map(len, texts)),
        images=tally.images,
        media=tally.media,
        remote=tally.remote,
        needs=frozenset(needs) if needs else NOTHING,
        prefix_hash=_prefix_hash(opening),
        signed_by=frozenset(tally.signed) if tally.signed else NOTHING,
        max_tokens=chat.max_tokens,
        reasoning=chat.reasoning is not None and chat.reasoning.effort != "none",
        plain=chat.bare and tally.plain,
    )


def survey_embed(embed: EmbedRequest) -> Survey:
    """Facts of an embeddings request; numbers given as tokens count as four characters each."""
    return survey_texts(embed.inputs, more_chars=4 * embed.token_inputs)


def survey_texts(
    texts: tuple[str, ...], *, more_chars: int = 0, images: int = 0, media: int = 0, needs: frozenset[str] = NOTHING
) -> Survey:
    """Facts of a request that is no conversation; the first text is what it asks."""
    return Survey(
        prompt=texts[0] if texts else "",
        opening="",
        repeated=(),
        turns=0,
        texts=texts,
        chars=sum(map(len, texts)) + more_chars,
        images=images,
        media=media,
        remote=False,
        needs=needs,
        prefix_hash="",
        signed_by=frozenset(),
        max_tokens=None,
        reasoning=False,
    )


class _Tally(Note):
    """What one walk over a conversation collects. Most of it is plain text, so that is looked for first."""

    texts: list[str] = []
    opening: list[str] = []  # texts of the system prompt and the first user message: every later turn has them
    begun: bool = False  # whether the first user message was heard
    prompt: str = ""  # of the last user message that says something
    turns: int = 0
    images: int = 0
    media: int = 0
    remote: bool = False
    needs: set[str] = set()
    signed: set[str] = set()
    plain: bool = True

    def hear(self, message: Message) -> None:
        """Take in the next message."""
        said: list[str] = []
        for part in message.parts:
            if type(part) is Text:
                said.append(part.text)
                self.texts.append(part.text)
            else:
                self.plain = False
                self._add(part)
        role = message.role
        if message.name is not None:
            self.plain = False
        if role is _USER and said:
            self.prompt = said[0] if len(said) == 1 else "\n".join(said)
        elif role is _ASSISTANT:
            self.turns += 1
        if not self.begun:
            self.opening += said
            self.begun = role is _USER

    def _add(self, part: Part) -> None:
        match part:
            case Text(text=text):
                self.texts.append(text)
            case Image(url=url):
                self.images += 1
                self.needs.add(catalog.VISION)
                self.remote |= url is not None
            case Media(kind=kind, data=data):
                self.media += 1
                self.needs.add(catalog.AUDIO if kind == "audio" else catalog.PDF)
                self.remote |= data is None
            case Thinking(text=text):
                self.texts.append(text)
                if part.format and (part.signature or part.redacted):
                    self.signed.add(part.format)
            case ToolCall(arguments=arguments):
                self.texts.append(arguments)
            case ToolResult(parts=parts):
                for inner in parts:
                    self._add(inner)


SHORTEST_TEXT = 6  # a@b.cd; nothing shorter is anybody's
SHORT_TEXT = 200  # shorter ones are read together: a schema has hundreds, and each call of the scanner costs 3 µs
SHORTEST_NUMBER = 1_000_000  # smaller ones are counts and sizes, not somebody's number
APART = "\n\n"  # no finding reaches over it


def texts_of(value: Json) -> list[str]:
    """Every text in a JSON value, names of fields included, and every number that might be somebody's."""
    left, long, short = [value], [], set()
    while left:
        one = left.pop()
        if isinstance(one, str):
            if len(one) >= SHORT_TEXT:
                long.append(one)
            elif len(one) >= SHORTEST_TEXT:
                short.add(one)
        elif isinstance(one, Mapping):
            left.extend(one)
            left.extend(one.values())
        elif isinstance(one, list):
            left.extend(one)
        elif isinstance(one, int) and one >= SHORTEST_NUMBER:
            short.add(str(one))
    return [*long, APART.join(sorted(short))] if short else long


def _prefix_hash(opening: list[str]) -> str:
    text = "".join([text[:PREFIX_CHARS] for text in opening])
    return blake2b(text.encode("utf-8", "surrogatepass"), digest_size=8).hexdigest()
