// The AI SDK with `@ai-sdk/openai` as it is by default: it speaks responses.

import { createOpenAI } from "@ai-sdk/openai";
import { client } from "./ai_sdk_client.mjs";
import * as cells from "./cells.mjs";

const provider = createOpenAI({ baseURL: `${cells.url}/v1`, apiKey: "any" });
await cells.run(client((model) => provider(model), (model) => provider.embedding(model)));
