"""The way of first halves of pairs to the monitor: best effort, in a thread of its own, and nobody waits for it.

Each is encoded as it is handed over, so that one that no JSON can hold harms no other and what waits is weighed.
"""

import logging
from collections.abc import Sequence

from gateway.core.evaluation import PATH, Half, HalfError, encode_half, put_together
from gateway.edge.courier import Courier, Means, Rules
from gateway.edge.sinks.post import Post

SINK = "evaluation"  # its name in metrics
RULES = Rules(queue_limit=2_000, queue_bytes=16 * 1024 * 1024, batch_limit=32, batch_bytes=1024 * 1024)
"""A batch ends with the half that fills it: with the longest request and answer it has about 4 MB."""

HEADERS = {"Content-Type": "application/json"}

log = logging.getLogger(__name__)


class Halves:
    """Takes halves to the monitor of one URL."""

    def __init__(self, monitor_url: str, means: Means | None = None) -> None:
        """`means`: None for the real clock and thread."""
        self._post = Post(monitor_url)
        self.courier: Courier[bytes] = Courier(SINK, self.deliver, RULES, len, means)

    def take(self, half: Half) -> None:
        """Returns at once."""
        try:
            self.courier.add(encode_half(half))
        except HalfError as error:
            log.warning("request %s was drawn for evaluation and %s", half.decision, error)

    def deliver(self, encoded: Sequence[bytes]) -> None:
        """Raises `Undelivered`."""
        self._post.send(PATH, put_together(encoded), HEADERS)
