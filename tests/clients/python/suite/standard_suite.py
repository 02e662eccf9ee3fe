"""LangChain's own standard suite for `ChatOpenAI` and `ChatAnthropic`, against whatever SUITE_URL says."""

import os
from typing import Any

from langchain_anthropic import ChatAnthropic
from langchain_openai import ChatOpenAI
from langchain_tests.integration_tests import ChatModelIntegrationTests

URL = os.environ["SUITE_URL"]
ANTHROPIC_URL = os.environ["SUITE_ANTHROPIC_URL"]


class TestChatOpenAI(ChatModelIntegrationTests):
    @property
    def chat_model_class(self) -> type[ChatOpenAI]:
        return ChatOpenAI

    @property
    def chat_model_params(self) -> dict[str, Any]:
        return {"model": "gpt-4o", "base_url": URL + "/v1", "api_key": "any", "max_retries": 0, "stream_usage": True}

    @property
    def supports_image_inputs(self) -> bool:
        return True


class TestChatAnthropic(ChatModelIntegrationTests):
    @property
    def chat_model_class(self) -> type[ChatAnthropic]:
        return ChatAnthropic

    @property
    def chat_model_params(self) -> dict[str, Any]:
        return {"model": "claude-sonnet-4-5", "base_url": ANTHROPIC_URL, "api_key": "any", "max_retries": 0}

    @property
    def supports_image_inputs(self) -> bool:
        return True
