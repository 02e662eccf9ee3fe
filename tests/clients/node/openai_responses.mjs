// The `openai` SDK on responses.

import assert from "node:assert/strict";
import OpenAI from "openai";
import * as cells from "./cells.mjs";

const sdk = new OpenAI({ baseURL: `${cells.url}/v1`, apiKey: "any", maxRetries: 0 });
const tool = { type: "function", name: "get_weather", parameters: cells.city, strict: false };

const ask = (model, input, options = {}) =>
  sdk.responses.create({ model, input, max_output_tokens: 200, ...options });
const called = (response) =>
  response.output.filter((item) => item.type === "function_call").map((item) => [item.name, item.arguments]);

await cells.run({
  async plain(model) {
    cells.checkSaid((await ask(model, cells.math)).output_text, model);
  },
  async stream(model) {
    let text = "";
    for await (const event of await ask(model, cells.math, { stream: true }))
      if (event.type === "response.output_text.delta") text += event.delta;
    cells.checkSaid(text, model);
  },
  async tools(model) {
    const first = await ask(model, cells.paris, { tools: [tool] });
    cells.checkCalls(called(first), ["Paris"]);
    const result = { type: "function_call_output", call_id: first.output.at(-1).call_id, output: "Sunny." };
    const final = await ask(model, [{ role: "user", content: cells.paris }, ...first.output, result], { tools: [tool] });
    assert.match(final.output_text, /^The tool says: Sunny\./);
  },
  async parallel(model) {
    const stream = sdk.responses.stream({ model, input: cells.both, tools: [tool] });
    cells.checkCalls(called(await stream.finalResponse()), ["Paris", "Rome"]);
  },
  async structured(model) {
    const format = { type: "json_schema", name: "person", schema: cells.person, strict: true };
    cells.checkPerson(JSON.parse((await ask(model, cells.ada, { text: { format } })).output_text));
  },
  async image(model) {
    const picture = { type: "input_image", image_url: `data:image/png;base64,${cells.pixel}`, detail: "auto" };
    const content = [{ type: "input_text", text: cells.math }, picture];
    cells.checkSaid((await ask(model, [{ role: "user", content }])).output_text, model);
  },
  async error(model) {
    const error = await cells.thrownBy(ask(model, cells.math));
    assert.ok(error instanceof OpenAI.BadRequestError && error.message.includes(cells.refusal), String(error));
  },
  async cancel(model) {
    for await (const event of await ask(model, cells.math, { stream: true }))
      if (event.type === "response.output_text.delta") break;
  },
});
