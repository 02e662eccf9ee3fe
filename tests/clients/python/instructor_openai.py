"""`instructor` around the `openai` SDK, in each of its ways to get a value."""

from typing import Any

import cells
import instructor
import openai
from instructor.core.exceptions import InstructorRetryException

SDK = openai.OpenAI(base_url=cells.URL + "/v1", api_key="any", max_retries=0)


def ask(model: str, mode: instructor.Mode, **options: Any) -> Any:
    client = instructor.from_openai(SDK, mode=mode)
    asked: Any = [{"role": "user", "content": cells.ADA}]
    return client.chat.completions.create(
        model=model, messages=asked, response_model=cells.Person, max_retries=0, **options
    )


class Client:
    ON_LLAMA = ()

    def tools(self, model: str) -> None:
        assert isinstance(ask(model, instructor.Mode.TOOLS), cells.Person)

    def structured(self, model: str) -> None:
        assert isinstance(ask(model, instructor.Mode.JSON_SCHEMA), cells.Person)

    def stream(self, model: str) -> None:
        client = instructor.from_openai(SDK, mode=instructor.Mode.TOOLS)
        asked: Any = [{"role": "user", "content": cells.ADA}]
        parts = list(client.chat.completions.create_partial(model=model, messages=asked, response_model=cells.Person))
        assert parts[-1].age is not None

    def error(self, model: str) -> None:
        cells.check_refused(
            (openai.BadRequestError, InstructorRetryException), lambda: ask(model, instructor.Mode.TOOLS)
        )


cells.run(Client())
