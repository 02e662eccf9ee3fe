"""LangChain's `ChatAnthropic`."""

import anthropic
import cells
import langchain_client
from langchain_anthropic import ChatAnthropic

BASE = {"base_url": cells.URL, "api_key": "any", "max_retries": 0}
cells.run(
    langchain_client.Client(lambda model: ChatAnthropic(model=model, max_tokens=200, **BASE), anthropic.BadRequestError)
)
