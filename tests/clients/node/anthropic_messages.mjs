// The `@anthropic-ai/sdk`.

import assert from "node:assert/strict";
import Anthropic from "@anthropic-ai/sdk";
import * as cells from "./cells.mjs";

const sdk = new Anthropic({ baseURL: cells.url, apiKey: "any", maxRetries: 0 });
const tool = { name: "get_weather", input_schema: cells.city };

const ask = (model, content, options = {}) =>
  sdk.messages.create({ model, max_tokens: 200, messages: [{ role: "user", content }], ...options });
const said = (message) => message.content.filter((one) => one.type === "text").map((one) => one.text).join("");
const called = (message) => message.content.filter((one) => one.type === "tool_use").map((one) => [one.name, one.input]);

await cells.run({
  async plain(model) {
    cells.checkSaid(said(await ask(model, cells.math)), model);
  },
  async stream(model) {
    const stream = sdk.messages.stream({ model, max_tokens: 100, messages: [{ role: "user", content: cells.math }] });
    const final = await stream.finalMessage();
    cells.checkSaid(said(final), model);
    assert.ok(final.usage.output_tokens > 0);
  },
  async tools(model) {
    const first = await ask(model, cells.paris, { tools: [tool] });
    cells.checkCalls(called(first), ["Paris"]);
    const call = first.content.find((one) => one.type === "tool_use");
    const messages = [
      { role: "user", content: cells.paris },
      { role: "assistant", content: first.content },
      { role: "user", content: [{ type: "tool_result", tool_use_id: call.id, content: "Sunny." }] },
    ];
    const final = await sdk.messages.create({ model, max_tokens: 100, messages, tools: [tool] });
    assert.match(said(final), /^The tool says: Sunny\./);
  },
  async parallel(model) {
    const messages = [{ role: "user", content: cells.both }];
    const stream = sdk.messages.stream({ model, max_tokens: 200, messages, tools: [tool] });
    cells.checkCalls(called(await stream.finalMessage()), ["Paris", "Rome"]);
  },
  async structured(model) {
    const format = { type: "json_schema", schema: cells.person };
    cells.checkPerson(JSON.parse(said(await ask(model, cells.ada, { output_config: { format } }))));
  },
  async image(model) {
    const source = { type: "base64", media_type: "image/png", data: cells.pixel };
    cells.checkSaid(said(await ask(model, [{ type: "text", text: cells.math }, { type: "image", source }])), model);
  },
  async error(model) {
    const error = await cells.thrownBy(ask(model, cells.math));
    assert.ok(error instanceof Anthropic.BadRequestError && error.message.includes(cells.refusal), String(error));
  },
  async cancel(model) {
    for await (const event of await ask(model, cells.math, { stream: true }))
      if (event.type === "content_block_delta") break;
  },
});
