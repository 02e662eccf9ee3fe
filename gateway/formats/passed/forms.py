"""Bodies of type multipart/form-data (RFC 7578): cut into parts, and put together again for an upstream.

A part's bytes stay as they came; only the model's name is written anew, and what is meant for the gateway is left out.
One pass over the body, whatever is in it: the delimiter is searched for, never matched by a pattern.
"""

import re
from collections.abc import Mapping
from collections.abc import Set as AbstractSet

from gateway.core.ask import Form, FormPart
from gateway.core.chat import Json
from gateway.formats import codec
from gateway.formats.surface import BadRequest

TYPE = "multipart/form-data"
MOST_PARTS = 256  # OpenAI's forms have about ten; an array has a part for each of its values
HEAD_LIMIT_BYTES = 8 * 1024  # of one part
FIELD_LIMIT_BYTES = 1024 * 1024  # of a field that is read as text
_OBJECTS = ("models", "provider")  # the gateway's own fields that are no plain text: JSON, as a form has no objects
_BOUNDARY = re.compile(r""";\s*boundary=(?:"([^"]{1,70})"|([^\s;"]{1,70}))\s*(?:;|$)""", re.IGNORECASE)
_PARAMETER = re.compile(r""";\s*([\w!#$%&'*+.^`|~-]+)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s;"]*))\s*""")
_DISPOSITION = b"content-disposition:"
_CRLF = b"\r\n"


def is_form(content_type: str) -> bool:
    return content_type.partition(";")[0].strip().lower() == TYPE


def read_form(content_type: str, raw: bytes | bytearray) -> tuple[Form, dict[str, Json]]:
    """The parts, and those that are no files by name; of names that occur repeatedly, a list.

    Raises:
        BadRequest: it is no form, or one beyond the limits.
    """
    found = _BOUNDARY.search(content_type)
    if found is None:
        raise BadRequest("the content-type of a form must name its boundary.", "content-type")
    boundary = (found[1] or found[2]).encode("latin-1", "replace")
    parts: list[FormPart] = []
    fields: dict[str, Json] = {}
    for head, content in _pieces(bytes(raw), boundary):
        if len(parts) == MOST_PARTS:
            raise BadRequest(f"the form has more than {MOST_PARTS} parts.")
        name, is_file = _named(head)
        parts.append(FormPart(name, head, content))
        if not is_file:
            _add(fields, name, _text(name, content))
    return Form(boundary, tuple(parts)), fields


def without_parts(form: Form, names: AbstractSet[str]) -> Form:
    """The form without its parts of these names."""
    return Form(form.boundary, tuple(part for part in form.parts if part.name not in names)) if names else form


def write_form(form: Form, model: str) -> bytes:
    """The form for an upstream: with its name of the model, without the gateway's own fields."""
    delimiter = b"--" + form.boundary + _CRLF
    pieces = [delimiter, b'Content-Disposition: form-data; name="model"\r\n\r\n', model.encode(), _CRLF]
    for part in form.parts:
        if part.name not in _OWN:
            pieces += (delimiter, part.head, part.content, _CRLF)
    pieces += (delimiter[:-2], b"--\r\n")
    return b"".join(pieces)


_OWN = frozenset({"model", "session_id", *_OBJECTS})


def content_type_of(form: Form) -> str:
    return f'{TYPE}; boundary="{form.boundary.decode("latin-1")}"'


def files(form: Form, fields: Mapping[str, Json]) -> int:
    """How many files it has."""
    return sum(part.name not in fields for part in form.parts)


def _pieces(raw: bytes, boundary: bytes) -> list[tuple[bytes, bytes]]:
    """Head and content of every part; what stands before the first and after the last delimiter is nothing."""
    delimiter = b"\r\n--" + boundary
    if raw.startswith(delimiter[2:]):
        at = len(delimiter) - 2
    else:
        at = raw.find(delimiter)
        if at < 0:
            raise BadRequest("the body has no part: the boundary of its content-type does not occur in it.")
        at += len(delimiter)
    pieces: list[tuple[bytes, bytes]] = []
    while raw[at : at + 2] != b"--":
        line_end = raw.find(_CRLF, at, at + HEAD_LIMIT_BYTES)
        if line_end < 0 or raw[at:line_end].strip(b" \t"):
            raise BadRequest("a boundary of the form is followed by something else than the end of its line.")
        begin = line_end + 2
        end = raw.find(delimiter, line_end)
        if end < 0:
            raise BadRequest("the form ends before its last boundary: the body is cut short.")
        blank = raw.find(b"\r\n\r\n", begin, min(end, begin + HEAD_LIMIT_BYTES))
        if blank < 0:
            raise BadRequest(f"a part of the form has no header lines, or more than {HEAD_LIMIT_BYTES} bytes of them.")
        pieces.append((raw[begin : blank + 4], raw[blank + 4 : end]))
        if len(pieces) > MOST_PARTS:
            break
        at = end + len(delimiter)
    return pieces


def _named(head: bytes) -> tuple[str, bool]:
    """A part's name, and whether it is a file."""
    lines = [line for line in head.split(_CRLF) if line.lower().startswith(_DISPOSITION)]
    if len(lines) != 1:
        raise BadRequest("a part of the form must have one Content-Disposition.")
    kind, semicolon, rest = lines[0][len(_DISPOSITION) :].decode("utf-8", "replace").partition(";")
    text = semicolon + rest
    values: dict[str, str] = {}
    at = 0
    while found := _PARAMETER.match(text, at):
        quoted, plain = found[2], found[3]
        values[found[1].lower()] = plain if quoted is None else re.sub(r"\\(.)", r"\1", quoted)
        at = found.end()
    if at != len(text) or kind.strip().lower() != "form-data" or not values.get("name"):
        raise BadRequest('a part of the form must have a Content-Disposition such as: form-data; name="file".')
    return values["name"], "filename" in values or "filename*" in values


def _text(name: str, content: bytes) -> Json:
    if len(content) > FIELD_LIMIT_BYTES:
        raise BadRequest(f"{name[:64]} is longer than {FIELD_LIMIT_BYTES} bytes; a file needs a filename.", name[:64])
    try:
        text = content.decode()
    except UnicodeDecodeError:
        raise BadRequest(f"{name[:64]} is not UTF-8; a file needs a filename.", name[:64]) from None
    if name not in _OBJECTS:
        return text
    try:
        return codec.loads(content)
    except ValueError:
        raise BadRequest(f"{name} of a form must be JSON.", name) from None


def _add(fields: dict[str, Json], name: str, value: Json) -> None:
    if name not in fields:
        fields[name] = value
    elif name in _OWN:
        raise BadRequest(f"{name} is given twice.", name)
    elif isinstance(fields[name], list):
        fields[name].append(value)
    else:
        fields[name] = [fields[name], value]
