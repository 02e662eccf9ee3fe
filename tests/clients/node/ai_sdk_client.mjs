// What the models of the AI SDK have in common; the scripts beside this one say which model is made.

import assert from "node:assert/strict";
import { Output, embedMany, generateText, stepCountIs, streamText, tool } from "ai";
import { z } from "zod";
import * as cells from "./cells.mjs";

const getWeather = tool({ inputSchema: z.object({ city: z.string() }), execute: async () => "Sunny." });

/** The cells of a client whose chat model is made by `chat(name)`, and its embedder, if it has one, by `embedder(name)`. */
export function client(chat, embedder) {
  const ask = (model, options) => generateText({ model: chat(model), maxRetries: 0, maxOutputTokens: 200, ...options });

  async function called(model, prompt, cities) {
    const reply = await ask(model, { prompt, tools: { get_weather: getWeather }, stopWhen: stepCountIs(2) });
    cells.checkCalls(reply.steps[0].toolCalls.map((call) => [call.toolName, call.input]), cities);
    assert.match(reply.text, /^The tool says: Sunny\./);
  }

  const made = {
    async plain(model) {
      const reply = await ask(model, { prompt: cells.math });
      cells.checkSaid(reply.text, model);
      assert.ok(reply.usage.outputTokens > 0);
    },
    async stream(model) {
      const stream = streamText({ model: chat(model), prompt: cells.math, maxRetries: 0, maxOutputTokens: 100 });
      let text = "";
      for await (const part of stream.textStream) text += part;
      cells.checkSaid(text, model);
      assert.ok((await stream.usage).outputTokens > 0);
    },
    tools: (model) => called(model, cells.paris, ["Paris"]),
    parallel: (model) => called(model, cells.both, ["Paris", "Rome"]),
    async structured(model) {
      const output = Output.object({ schema: z.object({ name: z.string(), age: z.number() }) });
      cells.checkPerson((await ask(model, { prompt: cells.ada, output })).output);
    },
    async image(model) {
      const picture = { type: "image", image: cells.pixel, mediaType: "image/png" };
      const content = [{ type: "text", text: cells.math }, picture];
      cells.checkSaid((await ask(model, { messages: [{ role: "user", content }] })).text, model);
    },
    async error(model) {
      const error = await cells.thrownBy(ask(model, { prompt: cells.math }));
      assert.deepEqual([error.statusCode, error.message.includes(cells.refusal)], [400, true]);
    },
    async cancel(model) {
      const left = new AbortController();
      const stream = streamText({ model: chat(model), prompt: cells.math, abortSignal: left.signal, onError() {} });
      for await (const _ of stream.textStream) left.abort();
    },
  };
  if (embedder)
    made.embeddings = async (model) => {
      const reply = await embedMany({ model: embedder(model), values: ["hello world", "good bye"], maxRetries: 0 });
      cells.checkVectors(reply.embeddings, model);
    };
  return made;
}
