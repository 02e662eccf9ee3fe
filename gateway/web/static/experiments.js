// The variants of each split beside each other: a mean, and the interval that it lies in, whenever anybody looks.

import { arrange, byId, h, state } from "./dom.js";
import { Table } from "./table.js";
import { clock, compact, count, fineUsd, ms, NONE, percent } from "./words.js";

const signed = (value) => `${value > 0 ? "+" : value < 0 ? "−" : ""}${Math.abs(value).toFixed(2)}`;

/** A column of one metric: the mean, and under it the interval. */
function metric(label, name, draw, title = null) {
  return {
    label, title, kind: "number",
    value: (row) => (row[name]?.count ? [row[name].mean, ...row[name].interval] : null),
    draw: (value) => (value === null ? NONE : estimate(...value.map(draw))),
  };
}

const estimate = (mean, low, high) =>
  h("span", { class: "estimate" }, mean, h("span", { class: "beside" }, h("span", { class: "unseen" }, "between "), `${low} … ${high}`));

const COLUMNS = [
  { label: "Variant", value: (row) => [row.name, row.share], draw: ([name, share]) => h("span", {}, name, h("span", { class: "tag" }, percent(share))) },
  { label: "Requests", kind: "number", value: (row) => row.requests, draw: compact },
  { label: "Sessions", kind: "number", value: (row) => row.sessions, draw: compact },
  metric("Cost", "cost_usd", fineUsd, "of a request"),
  metric("Latency", "latency_ms", ms),
  metric("First token", "ttft_ms", ms),
  metric("Failed", "failure", percent),
  metric("Feedback", "feedback", signed, "from −1 to +1"),
];

/** What to do: [kind, words]. */
function advice(told) {
  if (told.sample_ratio?.refuted) return ["bad", "sessions do not come in the configured ratio: do not trust this"];
  return told.stop ? ["ok", `stop: ${told.why}`] : ["off", `go on: ${told.why}`];
}

export class Experiments {
  constructor() {
    this.held = new Map();
  }

  update(experiments) {
    byId("experiments").hidden = experiments.length === 0;
    arrange(byId("experiment-list"), experiments.map((told) => this.one(told)));
    for (const route of this.held.keys()) {
      if (!experiments.some((told) => told.route === route)) this.held.delete(route);
    }
  }

  one(told) {
    const held = this.held.get(told.route) ?? this.made(told.route);
    const whole = Object.values(told.weights).reduce((sum, weight) => sum + weight, 0);
    held.table.update(Object.entries(told.variants).map(([name, arm]) => ({ name, share: told.weights[name] / whole, ...arm })));
    const [kind, words] = advice(told);
    const signature = JSON.stringify([kind, words, told.since, told.confidence]);
    if (held.signature !== signature) {
      held.signature = signature;
      held.words.replaceChildren(state(kind, words),
        h("span", { class: "muted" }, `since ${told.since.slice(0, 10)} ${clock(told.since).slice(0, 5)} UTC; all intervals `
          + `of the route together hold with ${percent(told.confidence)}, at any time; they begin after ${count(100)} requests`));
    }
    return held.element;
  }

  made(route) {
    const table = new Table({ caption: `Variants of ${route}`, columns: COLUMNS, key: (row) => row.name, empty: "No request yet." });
    const words = h("p", { class: "advice" });
    const element = h("div", { class: "experiment" }, h("h3", {}, route), words, table.element);
    const held = { table, words, element, signature: null };
    this.held.set(route, held);
    return held;
  }
}
