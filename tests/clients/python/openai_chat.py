"""The `openai` SDK on chat completions and embeddings."""

from typing import Any

import cells
import openai

SDK = openai.OpenAI(base_url=cells.URL + "/v1", api_key="any", max_retries=0)
TOOL: Any = {"type": "function", "function": {"name": "get_weather", "parameters": cells.CITY}}


def ask(model: str, content: Any, **options: Any) -> Any:
    messages = [{"role": "user", "content": content}]
    return SDK.chat.completions.create(model=model, messages=messages, max_tokens=40, **options)


class Client:
    def plain(self, model: str) -> None:
        reply = ask(model, cells.MATH)
        cells.check_said(reply.choices[0].message.content, model)
        assert reply.usage.completion_tokens > 0

    def stream(self, model: str) -> None:
        chunks = list(ask(model, cells.MATH, stream=True, stream_options={"include_usage": True}))
        text = "".join(one.choices[0].delta.content or "" for one in chunks if one.choices)
        cells.check_said(text, model)
        assert chunks[-1].usage.completion_tokens > 0

    def tools(self, model: str) -> None:
        first = ask(model, cells.PARIS, tools=[TOOL]).choices[0].message
        cells.check_calls([(one.function.name, one.function.arguments) for one in first.tool_calls], ["Paris"])
        result = {"role": "tool", "tool_call_id": first.tool_calls[0].id, "content": "Sunny."}
        history: Any = [{"role": "user", "content": cells.PARIS}, first.model_dump(exclude_none=True), result]
        final = SDK.chat.completions.create(model=model, messages=history, tools=[TOOL])
        assert (final.choices[0].message.content or "").startswith("The tool says: Sunny.")

    def parallel(self, model: str) -> None:
        with SDK.chat.completions.stream(
            model=model, messages=[{"role": "user", "content": cells.BOTH}], tools=[TOOL], max_tokens=200
        ) as stream:
            calls = stream.get_final_completion().choices[0].message.tool_calls or []
        cells.check_calls([(one.function.name, one.function.arguments) for one in calls], ["Paris", "Rome"])

    def structured(self, model: str) -> None:
        asked: Any = [{"role": "user", "content": cells.ADA}]
        reply = SDK.chat.completions.parse(model=model, messages=asked, response_format=cells.Person)
        assert reply.choices[0].message.parsed is not None

    def image(self, model: str) -> None:
        picture = {"type": "image_url", "image_url": {"url": "data:image/png;base64," + cells.PIXEL}}
        reply = ask(model, [{"type": "text", "text": cells.MATH}, picture])
        cells.check_said(reply.choices[0].message.content, model)

    def embeddings(self, model: str) -> None:
        reply = SDK.embeddings.create(model=model, input=["hello world", "good bye"])
        cells.check_vectors([one.embedding for one in reply.data], model)

    def error(self, model: str) -> None:
        cells.check_refused(openai.BadRequestError, lambda: ask(model, cells.MATH))

    def cancel(self, model: str) -> None:
        with ask(model, cells.MATH, stream=True) as stream:
            next(iter(stream))


cells.run(Client())
