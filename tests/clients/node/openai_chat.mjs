// The `openai` SDK on chat completions and embeddings.

import assert from "node:assert/strict";
import OpenAI from "openai";
import * as cells from "./cells.mjs";

const sdk = new OpenAI({ baseURL: `${cells.url}/v1`, apiKey: "any", maxRetries: 0 });
const tool = { type: "function", function: { name: "get_weather", parameters: cells.city } };

const ask = (model, content, options = {}) =>
  sdk.chat.completions.create({ model, messages: [{ role: "user", content }], max_tokens: 100, ...options });
const called = (message) => (message.tool_calls ?? []).map((one) => [one.function.name, one.function.arguments]);

await cells.run({
  async plain(model) {
    const reply = await ask(model, cells.math);
    cells.checkSaid(reply.choices[0].message.content, model);
    assert.ok(reply.usage.completion_tokens > 0);
  },
  async stream(model) {
    let text = "";
    let used;
    for await (const chunk of await ask(model, cells.math, { stream: true, stream_options: { include_usage: true } })) {
      text += chunk.choices[0]?.delta.content ?? "";
      used = chunk.usage ?? used;
    }
    cells.checkSaid(text, model);
    assert.ok(used.completion_tokens > 0);
  },
  async tools(model) {
    const first = (await ask(model, cells.paris, { tools: [tool] })).choices[0].message;
    cells.checkCalls(called(first), ["Paris"]);
    const result = { role: "tool", tool_call_id: first.tool_calls[0].id, content: "Sunny." };
    const messages = [{ role: "user", content: cells.paris }, first, result];
    const final = await sdk.chat.completions.create({ model, messages, tools: [tool] });
    assert.match(final.choices[0].message.content, /^The tool says: Sunny\./);
  },
  async parallel(model) {
    const messages = [{ role: "user", content: cells.both }];
    const stream = sdk.chat.completions.stream({ model, messages, tools: [tool], max_tokens: 200 });
    cells.checkCalls(called((await stream.finalChatCompletion()).choices[0].message), ["Paris", "Rome"]);
  },
  async structured(model) {
    const format = { type: "json_schema", json_schema: { name: "person", schema: cells.person, strict: true } };
    const reply = await ask(model, cells.ada, { response_format: format });
    cells.checkPerson(JSON.parse(reply.choices[0].message.content));
  },
  async image(model) {
    const picture = { type: "image_url", image_url: { url: `data:image/png;base64,${cells.pixel}` } };
    const reply = await ask(model, [{ type: "text", text: cells.math }, picture]);
    cells.checkSaid(reply.choices[0].message.content, model);
  },
  async embeddings(model) {
    const reply = await sdk.embeddings.create({ model, input: ["hello world", "good bye"] });
    cells.checkVectors(reply.data.map((one) => one.embedding), model);
  },
  async error(model) {
    const error = await cells.thrownBy(ask(model, cells.math));
    assert.ok(error instanceof OpenAI.BadRequestError && error.message.includes(cells.refusal), String(error));
  },
  async cancel(model) {
    for await (const _ of await ask(model, cells.math, { stream: true })) break;
  },
});
