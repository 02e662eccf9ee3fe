"""What becomes of requests that still run when the process must end: they are cancelled, and say so to their clients.

Owns the words of it, and the one fact by which a request that is cancelled knows that it has lost its gateway and not
its client. Refuses to know when that is and who cancels; that is the drain's (`web.app`).
"""

import asyncio

from gateway.core.failure import Failure, FailureKind
from gateway.core.refusal import Refusal, RefusalKind

_WORDS = "the gateway is shutting down; send the request again"
CUT_OFF = Failure(FailureKind.SHUTDOWN, _WORDS)
REFUSAL = Refusal(RefusalKind.OVERLOADED, _WORDS, retry_after_s=1.0)  # another replica serves at once


class Ending:
    """The end of the process, as its requests see it. One per walk."""

    __slots__ = ("_begun",)

    def __init__(self) -> None:
        self._begun = False

    def begin(self) -> None:
        """From now on, whoever is cancelled is cut off."""
        self._begun = True

    @property
    def begun(self) -> bool:
        return self._begun

    def takes_back(self) -> bool:
        """Whether the cancellation that the caller has just caught is of the end: it is taken back then, and the caller
        goes on to say so. A client that leaves meanwhile shows once more when it is written to."""
        task = asyncio.current_task()
        if not self._begun or task is None:
            return False
        task.uncancel()
        return True
