"""LangChain's `ChatOpenAI` and `OpenAIEmbeddings`."""

import cells
import langchain_client
import openai
from langchain_openai import ChatOpenAI, OpenAIEmbeddings

BASE = {"base_url": cells.URL + "/v1", "api_key": "any", "max_retries": 0}


class Client(langchain_client.Client):
    def embeddings(self, model: str) -> None:
        embedder = OpenAIEmbeddings(model=model, check_embedding_ctx_length=False, **BASE)
        cells.check_vectors(embedder.embed_documents(["hello world", "good bye"]), model)


cells.run(Client(lambda model: ChatOpenAI(model=model, max_tokens=200, **BASE), openai.BadRequestError))
