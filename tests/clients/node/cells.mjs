// What the scripts of Node clients share: the questions, what the simulated providers answer, and the run of all cells.

import assert from "node:assert/strict";

const told = JSON.parse(process.argv[2]);
export const url = told.url;
export const refusal = told.refusal;
export const math = "What is 12 * 12?";
export const paris = "Use get_weather for Paris";
export const both = "Use get_weather in parallel for Paris and Rome";
export const ada = "Extract: Ada is 36";
export const pixel =
  "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==";
export const city = { type: "object", properties: { city: { type: "string" } }, required: ["city"] };
export const person = {
  type: "object",
  properties: { name: { type: "string" }, age: { type: "integer" } },
  required: ["name", "age"],
  additionalProperties: false,
};

const names = { parallel: "parallel tools", structured: "structured output" };
const always = ["plain", "stream"];
const simulated = ["tools", "parallel", "structured", "image"]; // random weights call no tool and fill no schema

/** The simulated provider's words, signed; of llama.cpp anything at all. */
export function checkSaid(text, model) {
  const [vendor, name] = model.split("/");
  if (vendor === "llama") assert.ok(text, "nothing was said");
  else assert.equal(text, `12 * 12 = 144.\n— ${name} at ${vendor}`);
}

/** Calls of get_weather as [name, arguments], one a city. */
export function checkCalls(calls, cities) {
  assert.deepEqual(calls.map(([name]) => name), cities.map(() => "get_weather"));
  const values = calls.map(([, given]) => (typeof given === "string" ? JSON.parse(given) : given));
  assert.deepEqual(values.map((value) => value.city), cities);
}

export function checkPerson(value) {
  assert.equal(typeof value.name, "string");
  assert.equal(typeof value.age, "number");
}

export function checkVectors(vectors, model) {
  assert.deepEqual(vectors.map((one) => one.length), Array(2).fill(model.includes("llama") ? 64 : 256));
}

/** What the promise throws; fails where it does not. */
export async function thrownBy(promise) {
  try {
    await promise;
  } catch (error) {
    return error;
  }
  assert.fail("no error");
}

async function cell(client, method, backend, model) {
  const feature = names[method] ?? method;
  try {
    await client[method](model);
    console.log(JSON.stringify({ feature, backend, ok: true, detail: "" }));
  } catch (error) {
    console.error(error);
    console.log(JSON.stringify({ feature, backend, ok: false, detail: String(error).slice(0, 400) }));
  }
}

/** Every method of the client that is a feature, against every backend that has it. */
export async function run(client) {
  for (const [backend, model] of Object.entries(told.backends))
    for (const method of backend === "llama" ? always : [...always, ...simulated])
      if (client[method]) await cell(client, method, backend, model);
  if (client.embeddings)
    for (const [backend, model] of Object.entries(told.embeddings)) await cell(client, "embeddings", backend, model);
  for (const [method, model] of [["error", told.refuses], ["cancel", told.stalls]])
    if (client[method]) await cell(client, method, "openai", model);
  process.exit(0);
}
