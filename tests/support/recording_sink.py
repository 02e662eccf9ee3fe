"""A `ReplySink` that keeps what the walk writes, and can leave."""

import json
from collections.abc import Sequence
from typing import Any

from gateway.flow.ports import ClientGone


class RecordingSink:
    """Keeps an answer. `leave_after`: number of chunks after which the client is gone."""

    def __init__(self, leave_after: int | None = None) -> None:
        self.status: int | None = None
        self.headers: dict[str, str] = {}
        self.body: bytes = b""
        self.chunks: list[bytes] = []
        self.streamed = False
        self.ended = False
        self.aborted = False
        self._leave_after = leave_after

    def whole(self, status: int, headers: Sequence[tuple[str, str]], body: bytes) -> None:
        assert self.status is None, "an answer is given once"
        self._begin(status, headers)
        self.body, self.ended = body, True

    async def head(self, status: int, headers: Sequence[tuple[str, str]]) -> None:
        assert self.status is None, "an answer is given once"
        self._begin(status, headers)
        self.streamed = True

    async def chunk(self, data: bytes) -> None:
        assert self.streamed, "head comes before chunk"
        assert not self.ended, "nothing comes after the end"
        if self._leave_after is not None and len(self.chunks) >= self._leave_after:
            raise ClientGone
        self.chunks.append(data)
        self.body += data

    async def end(self) -> None:
        assert self.streamed, "head comes before end"
        assert not self.ended, "a stream ends once"
        self.ended = True

    def abort(self) -> None:
        self.aborted = True

    def _begin(self, status: int, headers: Sequence[tuple[str, str]]) -> None:
        self.status, self.headers = status, dict(headers)

    # -- what a client makes of it -----------------------------------------------------------------------------------

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def error(self) -> Any:
        return self.json["error"]

    @property
    def events(self) -> list[Any]:
        """Data of the stream's events, parsed; `[DONE]` as text."""
        found = []
        for block in self.body.decode().split("\n\n"):
            data = "\n".join(line[6:] for line in block.split("\n") if line.startswith("data: "))
            if data:
                found.append(data if data == "[DONE]" else json.loads(data))
        return found

    @property
    def text(self) -> str:
        """The answer's text, on the chat, completions or messages surface, streamed or whole."""
        if not self.streamed:
            return _text_of(self.json)
        return "".join(_delta_of(event) for event in self.events if isinstance(event, dict))


def _text_of(answer: dict[str, Any]) -> str:
    if "choices" in answer:
        choice = answer["choices"][0]
        return str(choice["text"] if "text" in choice else choice["message"]["content"])
    return "".join(block.get("text", "") for block in answer["content"])


def _delta_of(event: dict[str, Any]) -> str:
    if event.get("choices"):
        choice = event["choices"][0]
        return str(choice.get("text") or choice.get("delta", {}).get("content") or "")
    return str(event["delta"].get("text", "")) if event.get("type") == "content_block_delta" else ""
