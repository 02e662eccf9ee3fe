// The AI SDK with `@ai-sdk/anthropic`.

import { createAnthropic } from "@ai-sdk/anthropic";
import { client } from "./ai_sdk_client.mjs";
import * as cells from "./cells.mjs";

const provider = createAnthropic({ baseURL: `${cells.url}/v1`, apiKey: "any" });
await cells.run(client((model) => provider(model)));
