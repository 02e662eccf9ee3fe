"""pydantic-ai's `OpenAIResponsesModel`."""

import cells
import pydantic_ai_client
from pydantic_ai.models.openai import OpenAIResponsesModel
from pydantic_ai.providers.openai import OpenAIProvider

PROVIDER = OpenAIProvider(base_url=cells.URL + "/v1", api_key="any")
cells.run(pydantic_ai_client.Client(lambda model: OpenAIResponsesModel(model, provider=PROVIDER)))
