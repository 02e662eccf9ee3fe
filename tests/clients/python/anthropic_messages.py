"""The `anthropic` SDK."""

from typing import Any

import anthropic
import cells

SDK = anthropic.Anthropic(base_url=cells.URL, api_key="any", max_retries=0)
TOOL: Any = {"name": "get_weather", "input_schema": cells.CITY}


def ask(model: str, content: Any, **options: Any) -> Any:
    return SDK.messages.create(model=model, max_tokens=100, messages=[{"role": "user", "content": content}], **options)


def said(message: Any) -> str:
    return "".join(block.text for block in message.content if block.type == "text")


def called(message: Any) -> list[tuple[str, Any]]:
    return [(block.name, block.input) for block in message.content if block.type == "tool_use"]


class Client:
    def plain(self, model: str) -> None:
        reply = ask(model, cells.MATH)
        cells.check_said(said(reply), model)
        assert reply.usage.output_tokens > 0

    def stream(self, model: str) -> None:
        asked: Any = [{"role": "user", "content": cells.MATH}]
        with SDK.messages.stream(model=model, max_tokens=100, messages=asked) as stream:
            cells.check_said("".join(stream.text_stream), model)
            assert stream.get_final_message().usage.output_tokens > 0

    def tools(self, model: str) -> None:
        first = ask(model, cells.PARIS, tools=[TOOL])
        cells.check_calls(called(first), ["Paris"])
        call = next(block for block in first.content if block.type == "tool_use")
        result = {"type": "tool_result", "tool_use_id": call.id, "content": "Sunny."}
        history: Any = [
            {"role": "user", "content": cells.PARIS},
            {"role": "assistant", "content": [block.model_dump(exclude_none=True) for block in first.content]},
            {"role": "user", "content": [result]},
        ]
        final = SDK.messages.create(model=model, max_tokens=100, messages=history, tools=[TOOL])
        assert said(final).startswith("The tool says: Sunny.")

    def parallel(self, model: str) -> None:
        asked: Any = [{"role": "user", "content": cells.BOTH}]
        with SDK.messages.stream(model=model, max_tokens=200, messages=asked, tools=[TOOL]) as stream:
            cells.check_calls(called(stream.get_final_message()), ["Paris", "Rome"])

    def structured(self, model: str) -> None:
        asked: Any = [{"role": "user", "content": cells.ADA}]
        reply = SDK.messages.parse(model=model, max_tokens=100, messages=asked, output_format=cells.Person)
        assert isinstance(reply.parsed_output, cells.Person)

    def image(self, model: str) -> None:
        source = {"type": "base64", "media_type": "image/png", "data": cells.PIXEL}
        reply = ask(model, [{"type": "text", "text": cells.MATH}, {"type": "image", "source": source}])
        cells.check_said(said(reply), model)

    def error(self, model: str) -> None:
        cells.check_refused(anthropic.BadRequestError, lambda: ask(model, cells.MATH))

    def cancel(self, model: str) -> None:
        with ask(model, cells.MATH, stream=True) as stream:
            for event in stream:
                if event.type == "content_block_delta":
                    break


cells.run(Client())
