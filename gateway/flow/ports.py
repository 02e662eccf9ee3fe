"""What the walk needs from outside. Each has a real implementation at the edge and a scripted one in the tests."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from gateway.core.credential import Credential
from gateway.upstream.answer import Answer
from gateway.upstream.call import Call, Limits


class Upstream(Protocol):
    """Sends one call; `Answer` arrives with its head. Raises `AttemptError`."""

    async def open(self, call: Call, limits: Limits) -> Answer: ...


class Keys(Protocol):
    """Provider keys."""

    def get(self, provider: str, origin: str) -> Credential | None:
        """What requests of `provider` are authorised with, for `origin` alone; None: it has nothing, or needs none."""

    def missing(self) -> frozenset[str]:
        """Providers that need a key and have none."""


class ReplySink(Protocol):
    """Where an answer goes. Either `whole` once, or `head`, any number of `chunk`, and `end` or `abort`.

    `chunk` returns when the client can take more; a client that has left shows as `ClientGone` or as cancellation.
    """

    def whole(self, status: int, headers: Sequence[tuple[str, str]], body: bytes) -> None: ...

    async def head(self, status: int, headers: Sequence[tuple[str, str]]) -> None: ...

    async def chunk(self, data: bytes) -> None: ...

    async def end(self) -> None: ...

    def abort(self) -> None: ...


class ClientGone(Exception):
    """The client closed its connection while the answer was being written."""


@dataclass(frozen=True, slots=True)
class Clock:
    """Both clocks, and the dice for ids."""

    now_s: Callable[[], float]  # monotonic: the event loop's
    epoch_s: Callable[[], float]
    new_id: Callable[[], str]  # 16 hex digits
