"""`instructor` around the `anthropic` SDK."""

from typing import Any

import anthropic
import cells
import instructor
from instructor.core.exceptions import InstructorRetryException

SDK = anthropic.Anthropic(base_url=cells.URL, api_key="any", max_retries=0)


class Client:
    def tools(self, model: str) -> None:
        client = instructor.from_anthropic(SDK, mode=instructor.Mode.TOOLS)
        asked: Any = [{"role": "user", "content": cells.ADA}]
        value = client.messages.create(
            model=model, max_tokens=200, messages=asked, response_model=cells.Person, max_retries=0
        )
        assert isinstance(value, cells.Person)

    def error(self, model: str) -> None:
        cells.check_refused((anthropic.BadRequestError, InstructorRetryException), lambda: self.tools(model))


cells.run(Client())
