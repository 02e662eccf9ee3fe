// The view of endpoints: state, latency, traffic and price of each; those in trouble first.

import { bars, line } from "./charts.js";
import { byId, h, say, state } from "./dom.js";
import { Table } from "./table.js";
import { compact, ms, NONE, percent, rate, span } from "./words.js";

const IDLE_SHOWN = 12; // endpoints without traffic, until someone asks for all or looks for one

/** How an endpoint is: [kind, word]. */
export function condition(row) {
  if (row.key === false) return ["off", "no key"];
  if (row.breaker === "open") return ["bad", row.retry_in_s > 0 ? `open, trial in ${span(row.retry_in_s)}` : "open"];
  if (row.rate_limited_for_s !== null && row.rate_limited_for_s !== undefined) {
    return ["warn", `rate-limited ${span(row.rate_limited_for_s)}`];
  }
  if (row.breaker === "half_open") return ["warn", "half-open"];
  return ["ok", "closed"];
}

export const inTrouble = (row) => ["bad", "warn"].includes(condition(row)[0]);

const tried = (row) => row.ok + row.failed + row.rate_limited;

/** `provider/model`, the provider less loud. */
export function endpointName(id) {
  const at = id.indexOf("/");
  return at < 0 ? id : h("span", { class: "endpoint" }, h("span", { class: "by" }, id.slice(0, at + 1)), id.slice(at + 1));
}

/** p50 and p95 in one cell. */
export function twoQuantiles(two) {
  return h("span", { class: "two" }, ms(two.p50), h("span", { class: "and" }, ms(two.p95)));
}

export function priceOf(price) {
  if (!price) return NONE;
  if (price.per_request && !price.input && !price.output) return `$${price.per_request} a unit`;
  if (!price.output) return rate(price.input);
  return h("span", { class: "two" }, rate(price.input), h("span", { class: "and" }, rate(price.output)));
}

function firstToken(row) {
  if (row.first_token_ms) return { ...row.first_token_ms, by: "live" };
  return row.probe?.first_byte_ms ? { ...row.probe.first_byte_ms, by: "probe" } : null;
}

function drawnFirst(value) {
  if (!value) return NONE;
  const from = value.by === "probe" ? "by the monitor's probes" : "of live streams in the last 5 minutes";
  return h("span", { title: `p50 and p95 ${from}` }, twoQuantiles(value),
    value.by === "probe" ? h("span", { class: "tag" }, "probe") : null);
}

/** These values, or null where none is known. */
const orNull = (values) => (values.some((value) => value !== null) ? values : null);

function columns(history) {
  return [
    {
      label: "Endpoint",
      value: (row) => [row.endpoint, row.tier, row.operation],
      draw: ([id, tier, operation]) => [
        endpointName(id), " ", h("span", { class: "tag" }, operation === "chat" ? (tier ?? "no tier") : operation),
      ].reduce((box, part) => (box.append(part), box), h("span", {})),
    },
    {
      label: "Breaker",
      value: (row) => [...condition(row), row.last_error],
      draw: ([kind, word, error]) =>
        h("span", {}, state(kind, word), kind === "ok" || !error ? null : h("span", { class: "why", title: error }, error)),
    },
    {
      label: "First token p50 · p95", kind: "number",
      value: firstToken,
      draw: drawnFirst,
    },
    {
      label: "First-token trend", head: "Trend", kind: "drawing", title: "First tokens, 95th percentile in each 5 seconds",
      value: (row) => orNull(history.of(row.endpoint).map((slice) => slice.first && Math.round(slice.first))),
      draw: (values) => {
        if (!values) return "";
        const known = values.filter((value) => value !== null);
        return line(values, `first token, at most ${ms(Math.max(...known))} in 3 minutes`);
      },
    },
    {
      label: "Attempts", kind: "number",
      value: (row) => tried(row) || null,
      draw: (value) => (value ? compact(value) : NONE),
    },
    {
      label: "Good", kind: "number", title: "Share of attempts that went well, since the gateway began",
      value: (row) => (tried(row) ? row.ok / tried(row) : null),
      draw: (value) => percent(value),
    },
    {
      label: "Attempts trend", head: "Trend", kind: "drawing", title: "Attempts in each 5 seconds; those that failed in red",
      value: (row) => orNull(history.of(row.endpoint).map(({ ok, failed }) => (ok || failed ? [ok, failed] : null))),
      draw: (values) => {
        if (!values) return "";
        const buckets = values.map((value) => ({ ok: value?.[0] ?? 0, failed: value?.[1] ?? 0 }));
        const sum = (name) => buckets.reduce((total, one) => total + one[name], 0);
        return bars(buckets, `${sum("ok")} good and ${sum("failed")} failed attempts in 3 minutes`);
      },
    },
    {
      label: "USD/M in · out", kind: "number", title: "USD per million tokens, input and output",
      value: (row) => row.price,
      draw: (price) => (price ? h("span", { title: `source: ${price.source || "unknown"}` }, priceOf(price)) : "unknown"),
    },
  ];
}

export class EndpointsView {
  constructor(history) {
    this.table = new Table({
      caption: "Endpoints", columns: columns(history), key: (row) => row.endpoint, empty: "No endpoint fits.",
    });
    this.search = byId("endpoint-search");
    this.all = byId("endpoint-all");
    this.rows = [];
    this.whole = false;
    byId("endpoint-table").append(this.table.element);
    this.search.addEventListener("input", () => this.draw());
    this.all.addEventListener("click", () => {
      this.whole = !this.whole;
      this.draw();
    });
  }

  update(overview) {
    this.rows = overview.endpoints;
    this.draw();
  }

  draw() {
    const wanted = this.search.value.trim().toLowerCase();
    const found = this.rows.filter((row) => row.endpoint.toLowerCase().includes(wanted));
    const trouble = found.filter(inTrouble);
    const used = found.filter((row) => !inTrouble(row) && tried(row) > 0);
    const idle = found.filter((row) => !inTrouble(row) && tried(row) === 0);
    const shown = this.whole || wanted ? idle : idle.slice(0, IDLE_SHOWN);
    this.table.update([
      { title: "In trouble", rows: trouble },
      { title: "In use", rows: used },
      { title: "Idle", rows: shown },
    ]);
    this.all.hidden = Boolean(wanted) || idle.length <= IDLE_SHOWN;
    this.all.setAttribute("aria-pressed", String(this.whole));
    say(this.all, this.whole ? "Show fewer idle endpoints" : `Show all ${idle.length} idle endpoints`);
    say(byId("endpoint-count"), `${found.length} of ${this.rows.length}`);
  }
}
