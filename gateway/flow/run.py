"""One request on its way: what is known before the walk, and what the walk notes down.

`Request` is given and frozen. `Run` is the only mutable thing of the walk: each attempt adds its row, and `settle`
makes the record of it at the end, however the end came.
"""

from msgspec import Struct

from gateway.core.ask import Ask
from gateway.core.decision import AttemptRow, Considered, Outcome
from gateway.core.extras import Extras
from gateway.core.trace import Trace
from gateway.core.usage import Usage
from gateway.core.value import Value
from gateway.flow.stage import Client, Moment
from gateway.formats.surface import ClientSurface


class Request(Value):
    """A request as it came in, parsed."""

    id: str
    ask: Ask
    extras: Extras
    client: Client
    surface: ClientSurface
    moment: Moment
    trace: Trace | None = None  # None: nothing is traced


class Run(Struct):
    request: Request
    considered: Considered | None = None
    rows: list[AttemptRow] = []
    outcome: Outcome = Outcome.FAILED
    status: int = 0
    error: str | None = None
    committed: bool = False
    endpoint: str | None = None  # who answered
    provider: str | None = None
    usage: Usage | None = None
    cost_usd: float | None = 0.0  # sum over the attempts; None: unknown
    ttft_ms: float | None = None
    text_digest: str | None = None
    format_ok: bool | None = None  # whether the answer has the form that was asked for; None: none was, or unknown
    dropped: tuple[str, ...] = ()
    answer: bytearray = bytearray()  # kept only for a record with texts, or for evaluation
    drawn: bool = False  # for evaluation
    skipped: dict[str, str] = {}  # candidates that could not be tried, and why
    promised_usd: float = 0.0  # upper bound of what attempts so far may be billed, where a cost limit stands

    def add(self, row: AttemptRow) -> None:
        self.rows.append(row)
        if row.cost_usd is None or self.cost_usd is None:
            self.cost_usd = None
        else:
            self.cost_usd += row.cost_usd

    def ms_since_start(self, now_s: float) -> float:
        return (now_s - self.request.moment.now_s) * 1000.0
