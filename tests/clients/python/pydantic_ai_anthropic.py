"""pydantic-ai's `AnthropicModel`."""

import cells
import pydantic_ai_client
from pydantic_ai.models.anthropic import AnthropicModel
from pydantic_ai.providers.anthropic import AnthropicProvider

PROVIDER = AnthropicProvider(base_url=cells.URL, api_key="any")
cells.run(pydantic_ai_client.Client(lambda model: AnthropicModel(model, provider=PROVIDER)))
