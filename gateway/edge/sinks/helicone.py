"""Decision records as requests in Helicone, by its custom log API: one POST each, over a few connections at once.

Feedback is left out: Helicone takes it at another host than logs. What a batch has sent already is remembered, so that
trying it again repeats nothing. `meta` is read there as HTTP headers, which hold less than JSON does.

Source: Helicone's documentation "Manual Logger - cURL", "Custom Properties", "Sessions".
"""

import re
import threading
from collections.abc import Callable, Sequence
from hashlib import blake2b
from uuid import UUID

from gateway.core.chat import Json
from gateway.core.decision import Decision, tier_name
from gateway.core.record import usage_json
from gateway.edge.courier import Rules, Undelivered
from gateway.edge.lines import Row
from gateway.edge.sinks.answers import answer_of
from gateway.edge.sinks.keys import SinkKey
from gateway.edge.sinks.post import Post
from gateway.edge.sinks.rows import UNREADABLE, end_ns, passing_over, start_ns
from gateway.formats import codec

PATH = "/custom/v1/log"
DEFAULT_URL = "https://api.worker.helicone.ai"
LANES = 8  # connections: at 30 ms a request, 260 records a second
RULES = Rules(batch_limit=256)
CUSTOM = "custom-model-nopath"  # what Helicone calls a request without a provider's path
VALUE_CHARS = 256

_NO_NAME = re.compile(r"[^A-Za-z0-9_-]")
_NO_VALUE = re.compile(r"[^\x20-\x7e]")


class Helicone:
    """Sends rows to an account at Helicone."""

    def __init__(self, new_post: Callable[[], Post], key: SinkKey) -> None:
        """`new_post` gives a connection of its own."""
        self._posts = [new_post() for _ in range(LANES)]
        self._key = key
        self._first: Row | None = None  # of the batch under way
        self._sent: set[str] = set()  # and ids of what need not be sent again
        self._refused: list[Undelivered] = []

    def deliver(self, rows: Sequence[Row]) -> None:
        """Raises `Undelivered`."""
        key = self._key.read()
        if key is None:
            raise Undelivered("its key is gone", None, final=False)
        if rows[0] is not self._first:
            self._first, self._sent, self._refused = rows[0], set(), []
        todo = [row for row in rows if isinstance(row, Decision) and row.id not in self._sent]
        headers = {"Authorization": f"Bearer {key}", "Content-Type": "application/json"}
        lanes = [Lane(post, todo[at::LANES], headers) for at, post in enumerate(self._posts[: len(todo)])]
        side_by_side([lane.run for lane in lanes])
        for lane in lanes:
            self._sent.update(lane.sent)
            self._refused += lane.refused
        troubles = [lane.trouble for lane in lanes if lane.trouble is not None]
        if troubles:
            raise max(troubles, key=lambda trouble: trouble.retry_after_s or 0.0)
        if self._refused:
            raise Undelivered(str(self._refused[0]), None, final=True, lost=len(self._refused))


class Lane:
    """One connection with its share of a batch."""

    def __init__(self, post: Post, share: Sequence[Decision], headers: dict[str, str]) -> None:
        self.sent: list[str] = []
        self.refused: list[Undelivered] = []
        self.trouble: Undelivered | None = None
        self._post = post
        self._share = share
        self._headers = headers

    def run(self) -> None:
        """Ends at the first trouble: the others of the share would meet the same."""
        for decision in self._share:
            try:
                with passing_over(self.refused):
                    self._post.send(PATH, _body(decision), self._headers)
            except Undelivered as error:
                self.trouble = error
                return
            self.sent.append(decision.id)


def side_by_side(runs: Sequence[Callable[[], None]]) -> None:
    """Run them at once, the first one here; returns when all are done."""
    threads = [threading.Thread(target=run, name="helicone", daemon=True) for run in runs[1:]]
    for thread in threads:
        thread.start()
    for run in runs[:1]:
        run()
    for thread in threads:
        thread.join()


def _body(decision: Decision) -> bytes:
    try:
        return codec.dumps(log_of(decision))
    except TypeError:
        raise Undelivered(UNREADABLE, None, final=True) from None


def log_of(decision: Decision) -> dict[str, Json]:
    """The request as Helicone's custom log API wants it; texts only where the record has them."""
    texts = decision.texts or {}
    model = decision.model if decision.endpoint is None else decision.endpoint.partition("/")[2]
    request = texts.get("request")
    return {
        "providerRequest": {
            "url": CUSTOM,
            "json": {**(request if isinstance(request, dict) else {}), "model": model},
            "meta": meta_of(decision),
        },
        "providerResponse": {
            "status": decision.status,
            "headers": {},
            "json": {**_answer(decision), "model": model, "usage": _usage(decision)},
        },
        "timing": {
            "startTime": _instant(start_ns(decision)),
            "endTime": _instant(end_ns(decision)),
            **({} if decision.ttft_ms is None else {"timeToFirstToken": round(decision.ttft_ms)}),
        },
    }


def request_id(decision_id: str) -> str:
    """The id in Helicone, which has to be a UUID: the same whenever a record is sent."""
    return str(UUID(bytes=blake2b(decision_id.encode(), digest_size=16).digest(), version=4))


def meta_of(decision: Decision) -> dict[str, str]:
    """Helicone's headers: who, which session, and properties to filter by."""
    considered, tags = decision.considered, dict(decision.tags)
    properties: dict[str, object] = {
        **tags,
        "Decision": decision.id,
        "Surface": decision.surface,
        "Endpoint": decision.endpoint,
        "Outcome": decision.outcome.value,
        "Attempts": len(decision.attempts),
        "Cost-USD": _usd(decision.cost_usd),
        "Saved-USD": _usd(decision.saved_usd),
    }
    if considered is not None:
        properties |= {
            "Route": considered.route.name,
            "Variant": None if considered.variant is None else considered.variant.name,
            "Task": considered.task,
            "Tier": tier_name(considered.tier_required, decision.tiers),
            "Sensitivity": " ".join(label.name for label in considered.labels) or None,
        }
    meta: dict[str, object] = {
        "Helicone-Request-Id": request_id(decision.id),
        "Helicone-User-Id": tags.get("user") or decision.key_id,
        "Helicone-Session-Id": None if considered is None else considered.session,
        "Helicone-Session-Name": None if considered is None else considered.route.name,
        **{f"Helicone-Property-{_NO_NAME.sub('-', name)}": value for name, value in properties.items()},
    }
    return {name: _NO_VALUE.sub("?", str(value))[:VALUE_CHARS] for name, value in meta.items() if value is not None}


def _usage(decision: Decision) -> dict[str, Json] | None:
    """Tokens under the names that Helicone reads, and our own beside them."""
    usage = decision.usage
    if usage is None:
        return None
    counts: dict[str, Json] = {
        "prompt_tokens": usage.input,
        "completion_tokens": usage.output,
        "total_tokens": usage.input + usage.output,
    }
    return counts | (usage_json(usage) or {})


def _answer(decision: Decision) -> dict[str, Json]:
    """The kept answer as an object."""
    answer = answer_of(decision)
    if answer is None or isinstance(answer, dict):
        return answer or {}
    return {"text": answer}


def _instant(at_ns: int) -> dict[str, Json]:
    seconds, rest = divmod(at_ns, 1_000_000_000)
    return {"seconds": seconds, "milliseconds": rest // 1_000_000}


def _usd(value: float | None) -> str | None:
    return None if value is None else f"{value:.12f}".rstrip("0").rstrip(".")
