"""Where a `KeyRef` points, and what stands there.

Owns the reading of one key; that it is read again when it changes, and who may have it, is `edge.secrets`.
"""

import json
import os
import stat
from collections.abc import Mapping

from gateway.core.catalog import KeyRef

MAX_KEY_BYTES = 8192  # longer than any header value a server takes


def read_key(ref: KeyRef, environ: Mapping[str, str]) -> str | None:
    """The key from its file, else from its variable; None: there is none that could be sent.

    A value with line breaks or other control characters inside is none: it would forge header lines. A JSON document
    (a cloud's key file) comes back on one line.
    """
    if ref.none:
        return None
    text = _read(ref.file) if ref.file else None
    if text is None and ref.env:
        text = environ.get(ref.env)
    text = _on_one_line((text or "").strip())
    return text if text and text.isascii() and text.isprintable() and len(text) <= MAX_KEY_BYTES else None


def key_present(ref: KeyRef, environ: Mapping[str, str]) -> bool:
    """Whether `read_key` finds one, or none has to be read since the workload has an identity."""
    return ref.identity is not None or read_key(ref, environ) is not None


def _on_one_line(text: str) -> str:
    if text.startswith("{"):
        try:
            return json.dumps(json.loads(text))
        except ValueError:
            pass  # a key may begin as it likes
    return text


def _read(path: str) -> str | None:
    try:
        # Not blocking: a pipe put where a key should be must not hang the gateway.
        fd = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError:
        return None
    try:
        if not stat.S_ISREG(os.fstat(fd).st_mode):
            return None
        return os.read(fd, MAX_KEY_BYTES + 1).decode("ascii")
    except (OSError, UnicodeDecodeError):
        return None
    finally:
        os.close(fd)
