"""JSON text as plain data with the line of every node, by way of the YAML reader, which takes it when it is tidied.

JSON is YAML but for little things that the reader refuses: tabs between tokens, and escapes that YAML does not know.
"""

import json
import re

from gateway.config.problems import ConfigError, Problem
from gateway.config.source import MAX_BYTES, Document, read_document

_STRING = re.compile(r'"(?:[^"\\]|\\.)*"')


def read_json_document(text: bytes, file: str) -> Document:
    """Parse one JSON object.

    Raises:
        ConfigError: the text is no such thing, or larger than a configuration may be.
    """
    if len(text) > MAX_BYTES:
        raise ConfigError([Problem(file, 0, "", f"the file is larger than {MAX_BYTES >> 20} MiB")])
    try:
        decoded = text.decode("utf-8-sig")
        value = json.loads(decoded)
    except json.JSONDecodeError as error:
        raise ConfigError([Problem(file, error.lineno, "", f"not valid JSON: {error.msg}")]) from None
    except UnicodeDecodeError:
        raise ConfigError([Problem(file, 0, "", "the file is not UTF-8 text")]) from None
    except RecursionError:
        raise ConfigError([Problem(file, 0, "", "nested too deeply")]) from None
    if not isinstance(value, dict):
        raise ConfigError([Problem(file, 1, "", "the file must be one JSON object")])
    return read_document(_tidied(decoded).encode(), file)


def _tidied(text: str) -> str:
    """The same text line by line, with every string in the escapes that YAML shares with JSON."""
    pieces, at = [], 0
    for found in _STRING.finditer(text):
        pieces += [text[at : found.start()].replace("\t", " "), _string(found.group())]
        at = found.end()
    return "".join([*pieces, text[at:].replace("\t", " ")])


def _string(literal: str) -> str:
    """In ASCII; characters beyond 16 bits as YAML escapes them, halves of a pair as what cannot be read."""
    text = "".join("\N{REPLACEMENT CHARACTER}" if "\ud800" <= one <= "\udfff" else one for one in json.loads(literal))
    return '"' + "".join(one if " " <= one <= "~" and one not in '"\\' else f"\\U{ord(one):08x}" for one in text) + '"'
