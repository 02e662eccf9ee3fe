"""Surfaces whose requests pass as they are, as rows: where each is, what it must say, and what bounds its cost.

They read only what routing, privacy and cost need to know; every other word is the provider's business.
"""

from collections.abc import Callable, Mapping

from gateway.core.ask import NOTHING, Ask, Form, PassedRequest, Surface, survey_texts, texts_of
from gateway.core.catalog import TRANSLATION
from gateway.core.chat import ChatReply, Json
from gateway.core.value import Value
from gateway.formats import codec, readers, sse
from gateway.formats.passed.forms import files
from gateway.formats.surface import BadRequest, ClientError, Ending, Identity, StreamEncoder
from gateway.formats.surfaces.chat_reply import write_error

Units = Callable[[Mapping[str, Json]], float | None]
DOCUMENTS_A_UNIT = 100  # Cohere, pricing: a search unit is a query with up to 100 documents ...
CHARS_A_DOCUMENT = 500  # ... of 500 tokens; no token is shorter than a character


class PassedRow(Value):
    """`asks` is the field whose text says what is wanted, `needs` are the others that must be there."""

    surface: Surface
    path: str
    asks: str | None
    needs: tuple[str, ...] = ()
    units: Units = lambda _: None  # a fee's units at most
    capabilities: frozenset[str] = NOTHING
    binary: bool = False  # its streams are bytes, without events


class PassedSurface:
    """One row as a surface."""

    native_api: str | None = None

    def __init__(self, row: PassedRow) -> None:
        self._row = row
        self.surface = row.surface
        self.path = row.path
        self.takes_form = row.asks is None

    def parse(self, body: Mapping[str, Json], size: int, headers: Mapping[str, str]) -> Ask:
        if self.takes_form:
            raise BadRequest(f"{self.path} takes a form: send multipart/form-data with a file.", "file")
        return self._ask(body, size, None)

    def parse_form(self, form: Form, fields: Mapping[str, Json], size: int) -> Ask:
        """As `parse`, of a form's text fields; the gateway's own are gone from `fields`."""
        if files(form, fields) < 1:
            raise BadRequest("file is missing: it must be a part with a filename.", "file")
        return self._ask({**fields, "stream": fields.get("stream") == "true"}, size, form)

    def _ask(self, body: Mapping[str, Json], size: int, form: Form | None) -> Ask:
        row = self._row
        model = readers.filled(body.get("model"), "model")
        asked: tuple[str, ...] = ()
        if row.asks is not None:
            value = body.get(row.asks)
            if value in (None, "", []):
                raise BadRequest(f"{row.asks} is missing.", row.asks)
            asked = (value,) if isinstance(value, str) else tuple(texts_of(value))
        for name in row.needs:
            if not body.get(name):
                raise BadRequest(f"{name} is missing.", name)
        stream = row.binary or bool(readers.flag(body, "stream"))
        others = texts_of({name: value for name, value in body.items() if name not in ("model", row.asks)})
        unread = sum(1 for text in (*asked, *others) if text.startswith("data:")) + _links(body.get(row.asks or ""))
        survey = survey_texts((*asked, *others), media=int(form is not None), images=unread, needs=row.capabilities)
        passed = PassedRequest(row.units(body), _readings(body), form)
        return Ask(row.surface, model, stream, body, survey, None, None, size, passed)

    def error_body(self, error: ClientError) -> bytes:
        return codec.dumps({"error": write_error(error)})

    def error_event(self, error: ClientError) -> bytes:
        if self._row.binary:
            return b""
        return sse.encode(codec.dumps({"type": "error", "error": write_error(error)}), b"error")

    def encoder(self, ask: Ask, identity: Identity) -> StreamEncoder:
        raise NotImplementedError("what is passed on is not translated")

    def encode(self, ask: Ask, reply: ChatReply, ending: Ending) -> bytes:
        raise NotImplementedError("what is passed on is not translated")


def _links(value: Json) -> int:
    """Parts of an input that are no text (OpenAI's moderation of images)."""
    return sum(isinstance(part, dict) and "image_url" in part for part in value) if isinstance(value, list) else 0


def _readings(body: Mapping[str, Json]) -> int:
    documents = body.get("documents")
    return 1 + len(documents) if isinstance(documents, list) else 1


def _images(body: Mapping[str, Json]) -> float:
    return readers.positive_int(body, "n") or 1


def _characters(body: Mapping[str, Json]) -> float:
    return len(readers.text(body.get("input"), "input"))


def _search_units(body: Mapping[str, Json]) -> float:
    documents = readers.items(body.get("documents"), "documents")
    chunks = sum(1 + sum(map(len, texts_of(one))) // CHARS_A_DOCUMENT for one in documents)
    return -(-chunks // DOCUMENTS_A_UNIT)


def _one(body: Mapping[str, Json]) -> float:
    return 1


ROWS = (
    PassedRow(Surface.RERANK, "/v1/rerank", "query", ("documents",), _search_units),
    PassedRow(Surface.MODERATIONS, "/v1/moderations", "input", units=_one),
    PassedRow(Surface.IMAGES, "/v1/images/generations", "prompt", units=_images),
    PassedRow(Surface.SPEECH, "/v1/audio/speech", "input", ("voice",), _characters, binary=True),
    PassedRow(Surface.TRANSCRIPTIONS, "/v1/audio/transcriptions", None),
    PassedRow(Surface.TRANSLATIONS, "/v1/audio/translations", None, capabilities=frozenset({TRANSLATION})),
)
