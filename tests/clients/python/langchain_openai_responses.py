"""LangChain's `ChatOpenAI` on responses."""

import cells
import langchain_client
import openai
from langchain_openai import ChatOpenAI

BASE = {"base_url": cells.URL + "/v1", "api_key": "any", "max_retries": 0, "use_responses_api": True}
cells.run(
    langchain_client.Client(lambda model: ChatOpenAI(model=model, max_tokens=200, **BASE), openai.BadRequestError)
)
