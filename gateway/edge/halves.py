"""The way of first halves of pairs to the monitor: best effort, in a thread of its own, and nobody waits for it.

Each is encoded as it is handed over, so that one that no JSON can hold harms no other and what waits is weighed. They
go with the token that the monitor knows us by. While it is replaced the two may have different ones for a minute or
two, so what is refused for its sake is tried again like what finds nobody.
"""

import logging
from collections.abc import Sequence

from gateway.core.evaluation import PATH, Half, HalfError, encode_half, put_together
from gateway.edge.courier import Courier, Means, Rules, Undelivered
from gateway.edge.shared_token import HEADER, VARIABLE, bearer
from gateway.edge.sinks.keys import SinkKey
from gateway.edge.sinks.post import Answered, Post

SINK = "evaluation"  # its name in metrics
RULES = Rules(queue_limit=2_000, queue_bytes=16 * 1024 * 1024, batch_limit=32, batch_bytes=1024 * 1024)
"""A batch ends with the half that fills it: with the longest request and answer it has about 4 MB."""

HEADERS = {"Content-Type": "application/json"}
UNAUTHORIZED = 401

log = logging.getLogger(__name__)


class Halves:
    """Takes halves to the monitor of one URL."""

    def __init__(self, monitor_url: str, token: SinkKey, means: Means | None = None) -> None:
        """`means`: None for the real clock and thread."""
        self._post = Post(monitor_url)
        self._token = token
        self.courier: Courier[bytes] = Courier(SINK, self.deliver, RULES, len, means)

    def take(self, half: Half) -> None:
        """Returns at once."""
        try:
            self.courier.add(encode_half(half))
        except HalfError as error:
            log.warning("request %s was drawn for evaluation and %s", half.decision, error)

    def deliver(self, encoded: Sequence[bytes]) -> None:
        """Raises `Undelivered`."""
        token = self._token.read()
        headers = HEADERS if token is None else {**HEADERS, HEADER: bearer(token)}
        try:
            self._post.send(PATH, put_together(encoded), headers)
        except Answered as error:
            if error.status != UNAUTHORIZED:
                raise
            brought = "no token was sent" if token is None else "the monitor knows another token"
            why = f"answered {UNAUTHORIZED}: {brought} (the file {self._token.file}, or {VARIABLE})"
            raise Undelivered(why, error.retry_after_s, final=False) from None
