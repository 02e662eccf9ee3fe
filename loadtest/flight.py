"""One request of the load on its way: what the client has seen of it so far, and how it ended."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from loadtest.scenarios import Job

Json = Any  # a parsed JSON value

OK = "ok"


@dataclass(slots=True)
class Flight:
    """`outcome` is empty while it runs; then `ok`, `http_STATUS`, or one of

    - `in_stream_error`: the stream ended with exactly one error event
    - `cut`: the stream ended with neither a terminal event nor an error
    - `garbled`: something followed the error event, or the reply was no JSON
    - `connection`, `timeout`: the gateway itself did not answer
    """

    job: Job
    started_s: float
    outcome: str = ""
    status: int | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    first_token_s: float | None = None  # since the start
    total_s: float | None = None
    content_events: int = 0
    error_events: int = 0
    cost_usd: float | None = None
    detail: str = ""  # of an error, for people

    @property
    def endpoint(self) -> str:
        return self.headers.get("x-pointsman-endpoint", "")

    @property
    def provider(self) -> str:
        return self.endpoint.partition("/")[0]

    @property
    def attempts(self) -> int:
        return int(self.headers.get("x-pointsman-attempts", "1"))

    @property
    def running(self) -> bool:
        return not self.outcome
