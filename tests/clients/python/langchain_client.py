"""What LangChain's chat models have in common; the scripts beside this one say which model is made."""

from collections.abc import Callable
from typing import Any

import cells
from langchain_core.tools import tool


@tool
def get_weather(city: str) -> str:
    """The weather in a city."""
    return "Sunny."


class Client:
    def __init__(self, chat: Callable[[str], Any], refused: type[Exception]) -> None:
        self._chat, self._refused = chat, refused

    def plain(self, model: str) -> None:
        reply = self._chat(model).invoke(cells.MATH)
        cells.check_said(reply.text, model)
        assert reply.usage_metadata["output_tokens"] > 0

    def stream(self, model: str) -> None:
        cells.check_said("".join(chunk.text for chunk in self._chat(model).stream(cells.MATH)), model)

    def tools(self, model: str) -> None:
        chat = self._chat(model).bind_tools([get_weather])
        first = chat.invoke(cells.PARIS)
        cells.check_calls([(call["name"], call["args"]) for call in first.tool_calls], ["Paris"])
        final = chat.invoke([("user", cells.PARIS), first, get_weather.invoke(first.tool_calls[0])])
        assert final.text.startswith("The tool says: Sunny."), final.text

    def parallel(self, model: str) -> None:
        whole: Any = None
        for chunk in self._chat(model).bind_tools([get_weather]).stream(cells.BOTH):
            whole = chunk if whole is None else whole + chunk
        cells.check_calls([(call["name"], call["args"]) for call in whole.tool_calls], ["Paris", "Rome"])

    def structured(self, model: str) -> None:
        chat = self._chat(model)
        for method in ("json_schema", "function_calling"):
            assert isinstance(chat.with_structured_output(cells.Person, method=method).invoke(cells.ADA), cells.Person)

    def image(self, model: str) -> None:
        picture = {"type": "image", "base64": cells.PIXEL, "mime_type": "image/png"}
        reply = self._chat(model).invoke([("user", [{"type": "text", "text": cells.MATH}, picture])])
        cells.check_said(reply.text, model)

    def error(self, model: str) -> None:
        cells.check_refused(self._refused, lambda: self._chat(model).invoke(cells.MATH))

    def cancel(self, model: str) -> None:
        stream = self._chat(model).stream(cells.MATH)
        for chunk in stream:
            if chunk.text:
                break
        stream.close()
