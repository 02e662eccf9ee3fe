"""The `openai` SDK on responses."""

from typing import Any

import cells
import openai

SDK = openai.OpenAI(base_url=cells.URL + "/v1", api_key="any", max_retries=0)
TOOL: Any = {"type": "function", "name": "get_weather", "parameters": cells.CITY, "strict": False}


def ask(model: str, content: Any, **options: Any) -> Any:
    return SDK.responses.create(model=model, input=content, max_output_tokens=200, **options)


def called(response: Any) -> list[tuple[str, Any]]:
    return [(item.name, item.arguments) for item in response.output if item.type == "function_call"]


class Client:
    def plain(self, model: str) -> None:
        cells.check_said(ask(model, cells.MATH).output_text, model)

    def stream(self, model: str) -> None:
        events = list(ask(model, cells.MATH, stream=True))
        cells.check_said("".join(one.delta for one in events if one.type == "response.output_text.delta"), model)
        if model.startswith("llama/"):
            raise cells.ByDesign("llama.cpp numbers no events, and they pass as they are")
        assert [one.sequence_number for one in events] == list(range(len(events)))

    def tools(self, model: str) -> None:
        first = ask(model, cells.PARIS, tools=[TOOL])
        cells.check_calls(called(first), ["Paris"])
        items = [item.model_dump(exclude_none=True) for item in first.output]
        result = {"type": "function_call_output", "call_id": first.output[-1].call_id, "output": "Sunny."}
        final = ask(model, [{"role": "user", "content": cells.PARIS}, *items, result], tools=[TOOL])
        assert final.output_text.startswith("The tool says: Sunny.")

    def parallel(self, model: str) -> None:
        with SDK.responses.stream(model=model, input=cells.BOTH, tools=[TOOL]) as stream:
            for _ in stream:
                pass
            cells.check_calls(called(stream.get_final_response()), ["Paris", "Rome"])

    def structured(self, model: str) -> None:
        reply = SDK.responses.parse(model=model, input=cells.ADA, text_format=cells.Person)
        assert isinstance(reply.output_parsed, cells.Person)

    def image(self, model: str) -> None:
        picture = {"type": "input_image", "image_url": "data:image/png;base64," + cells.PIXEL, "detail": "auto"}
        content = [{"type": "input_text", "text": cells.MATH}, picture]
        cells.check_said(ask(model, [{"role": "user", "content": content}]).output_text, model)

    def error(self, model: str) -> None:
        cells.check_refused(openai.BadRequestError, lambda: ask(model, cells.MATH))

    def cancel(self, model: str) -> None:
        with ask(model, cells.MATH, stream=True) as stream:
            for event in stream:
                if event.type == "response.output_text.delta":
                    break


cells.run(Client())
