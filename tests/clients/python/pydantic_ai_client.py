"""What pydantic-ai's models have in common; the scripts beside this one say which model is made."""

import asyncio
import base64
from collections.abc import Callable
from typing import Any

import cells
from pydantic_ai import Agent, BinaryContent, ModelHTTPError


class Client:
    def __init__(self, model: Callable[[str], Any]) -> None:
        self._model = model

    def _agent(self, model: str, **options: Any) -> Any:
        return Agent(self._model(model), model_settings={"max_tokens": 200}, retries=0, **options)

    def plain(self, model: str) -> None:
        cells.check_said(self._agent(model).run_sync(cells.MATH).output, model)

    def stream(self, model: str) -> None:
        async def streamed() -> str:
            async with self._agent(model).run_stream(cells.MATH) as stream:
                return "".join([part async for part in stream.stream_text(delta=True)])

        cells.check_said(asyncio.run(streamed()), model)

    def tools(self, model: str) -> None:
        self._called(model, cells.PARIS, ["Paris"])

    def parallel(self, model: str) -> None:
        self._called(model, cells.BOTH, ["Paris", "Rome"])

    def _called(self, model: str, question: str, cities: list[str]) -> None:
        agent, asked = self._agent(model), []

        @agent.tool_plain
        def get_weather(city: str) -> str:
            """The weather in a city."""
            asked.append(city)
            return "Sunny."

        assert agent.run_sync(question).output.startswith("The tool says: Sunny.")
        assert sorted(asked) == cities, asked

    def structured(self, model: str) -> None:
        assert isinstance(self._agent(model, output_type=cells.Person).run_sync(cells.ADA).output, cells.Person)

    def image(self, model: str) -> None:
        picture = BinaryContent(base64.b64decode(cells.PIXEL), media_type="image/png")
        cells.check_said(self._agent(model).run_sync([cells.MATH, picture]).output, model)

    def error(self, model: str) -> None:
        cells.check_refused(ModelHTTPError, lambda: self._agent(model).run_sync(cells.MATH))

    def cancel(self, model: str) -> None:
        async def left() -> None:
            async with self._agent(model).run_stream(cells.MATH) as stream:
                async for _ in stream.stream_text(delta=True, debounce_by=None):
                    break

        async def cancelled() -> None:
            task = asyncio.create_task(left())
            await asyncio.wait({task}, timeout=2)
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

        asyncio.run(cancelled())
