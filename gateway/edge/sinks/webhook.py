"""Decision records as JSON lines by POST to a URL of one's own.

Each line is what the journal would write. A bearer token names us; a signing key lets the receiver prove that the lines
are ours and new: the header `Pointsman-Signature: t=SECONDS,v1=HEX` is HMAC-SHA256 over `SECONDS.BODY`, as known from
webhooks of payment services.
"""

import hmac
from collections.abc import Callable, Sequence
from hashlib import sha256
from urllib.parse import urlsplit

from gateway.edge.lines import Row
from gateway.edge.sinks.keys import SinkKey
from gateway.edge.sinks.post import Post
from gateway.edge.sinks.rows import complain, jsons

TYPE = "application/x-ndjson"
SIGNATURE = "Pointsman-Signature"


class Webhook:
    """Sends rows to one URL."""

    def __init__(
        self, url: str, token: SinkKey, signing_key: SinkKey, epoch_s: Callable[[], float], post: Post | None = None
    ) -> None:
        """`post`: the way to the URL's host; None for one of its own."""
        parts = urlsplit(url)
        self._path = f"{parts.path or '/'}{'?' + parts.query if parts.query else ''}"
        self._post = post or Post(f"{parts.scheme}://{parts.netloc}")
        self._token = token
        self._signing_key = signing_key
        self._epoch_s = epoch_s

    def deliver(self, rows: Sequence[Row]) -> None:
        """Raises `Undelivered`."""
        written = jsons(rows)
        body = b"".join(line + b"\n" for _, line in written)
        headers = {"Content-Type": TYPE}
        if token := self._token.read():
            headers["Authorization"] = f"Bearer {token}"
        if key := self._signing_key.read():
            headers[SIGNATURE] = signature(key, round(self._epoch_s()), body)
        self._post.send(self._path, body, headers)
        complain(rows, written)


def signature(key: str, epoch_s: int, body: bytes) -> str:
    """What `SIGNATURE` says of a body sent at that second."""
    signed = hmac.new(key.encode(), b"%d." % epoch_s + body, sha256).hexdigest()
    return f"t={epoch_s},v1={signed}"
