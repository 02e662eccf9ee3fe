// The AI SDK with `@ai-sdk/openai` told to speak chat completions.

import { createOpenAI } from "@ai-sdk/openai";
import { client } from "./ai_sdk_client.mjs";
import * as cells from "./cells.mjs";

const provider = createOpenAI({ baseURL: `${cells.url}/v1`, apiKey: "any" });
await cells.run(client((model) => provider.chat(model)));
