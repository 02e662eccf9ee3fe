// The monitor's page: endpoints as published, prices and their sources, what probing costs, certificates and proposals.

import { drawCertificates, placeCertificates } from "./certificates.js";
import { line } from "./charts.js";
import { byId, h, say, state } from "./dom.js";
import { condition, endpointName, inTrouble, priceOf, twoQuantiles } from "./endpoints.js";
import { ask, listen } from "./live.js";
import { drawProposals } from "./proposals.js";
import { Table } from "./table.js";
import { follow } from "./views.js";
import { clock, compact, ms, NONE, percent, rate, span, spoken, usd } from "./words.js";

const POINTS = 40; // of a trend: one for each publication seen

let overview = null;
let publication = "";
const trends = new Map(); // endpoint -> first byte p95 in ms at each publication seen

const columns = [
  { label: "Endpoint", value: (row) => row.endpoint, draw: (id) => h("span", {}, endpointName(id)) },
  {
    label: "Breaker",
    value: (row) => [...condition(row), row.last_error, row.since],
    draw: ([kind, word, error, since]) => h("span", {}, state(kind, word, `since ${since}`),
      kind === "ok" ? null : h("span", { class: "why", title: error }, `since ${clock(since)}${error ? `: ${error}` : ""}`)),
  },
  { label: "Good, 5 min", kind: "number", value: (row) => row.ok_ratio, draw: (value) => percent(value) },
  { label: "First byte p50 · p95", kind: "number", value: (row) => row.first_byte_ms, draw: quantilesOf },
  {
    label: "First-byte trend", head: "Trend", kind: "drawing", title: "95th percentile at each publication seen",
    value: (row) => (trends.get(row.endpoint)?.length > 1 ? trends.get(row.endpoint) : null),
    draw: (values) => (values ? line(padded(values), `first byte, now ${ms(values.at(-1))}`) : ""),
  },
  { label: "Total p50 · p95", kind: "number", value: (row) => row.total_ms, draw: quantilesOf },
  { label: "Probes, 1 h", kind: "number", value: (row) => row.probes || null, draw: (value) => (value ? compact(value) : NONE) },
  { label: "USD/M in · out", kind: "number", value: (row) => row.price, draw: (price) => (price ? priceOf(price) : "unknown") },
];

/** As many values as a trend can have, the unknown ones first. */
const padded = (values) => [...Array(POINTS - values.length).fill(null), ...values];

function quantilesOf(value) {
  return value ? twoQuantiles(value) : NONE;
}

const endpoints = new Table({
  caption: "Endpoints as published", columns, key: (row) => row.endpoint, empty: "Nothing was published yet.",
});
const sources = new Table({
  caption: "Live price sources", key: (row) => row.name, empty: "No live source has an address.",
  columns: [
    { label: "Source", value: (row) => row.name },
    { label: "Last reading", value: (row) => row.ok, draw: (ok) => state(ok ? "ok" : "bad", ok ? "ok" : "failed") },
    { label: "Last good reading (UTC)", value: (row) => row.fetched_at, draw: (value) => value ?? "never" },
  ],
});
const heldBack = new Table({
  caption: "Prices not believed", key: (row) => `${row.endpoint} ${row.field} ${row.source}`,
  empty: "None: no live price is further than a factor of 3 from the catalog’s.",
  columns: [
    { label: "Endpoint", value: (row) => row.endpoint, draw: (id) => h("span", {}, endpointName(id)) },
    { label: "Rate", value: (row) => row.field, draw: spoken },
    { label: "Catalog USD/M", kind: "number", value: (row) => row.catalog, draw: rate },
    { label: "Live USD/M", kind: "number", value: (row) => row.live, draw: rate },
    { label: "Source", value: (row) => row.source },
  ],
});
const probes = new Table({
  caption: "Probes by provider", key: (row) => row.provider, empty: "No provider is configured.",
  columns: [
    { label: "Provider", value: (row) => row.provider },
    { label: "By", value: (row) => row.by },
    { label: "Every", kind: "number", value: (row) => row.every_s, draw: span },
    {
      label: "Found since the start", value: (row) => row.findings,
      draw: (found) => Object.entries(found).map(([word, number]) => `${spoken(word)} ${compact(number)}`).join(", ") || NONE,
    },
    { label: "Spent today", kind: "number", value: (row) => row.spent_today_usd, draw: usd },
    { label: "Budget a day", kind: "number", value: (row) => row.budget_usd_per_day, draw: usd },
  ],
});
byId("endpoint-table").append(endpoints.element);
byId("sources").append(sources.element);
byId("held-back").append(heldBack.element);
byId("probe-table").append(probes.element);
placeCertificates();

/** How far ahead a horizon lies, as the gateway tells it. */
const ahead = (until, now) => (until === null ? null : (Date.parse(until) - Date.parse(now)) / 1_000);

function hear(told) {
  const rows = told.endpoints.map((row) => ({ ...row, rate_limited_for_s: ahead(row.rate_limited_until, told.now) }));
  overview = { ...told, endpoints: rows };
  if (told.published_at !== publication) {
    publication = told.published_at;
    for (const row of rows) {
      const before = trends.get(row.endpoint) ?? [];
      if (row.first_byte_ms) trends.set(row.endpoint, [...before, row.first_byte_ms.p95].slice(-POINTS));
    }
  }
  say(byId("version"), `version ${told.version}`);
  say(byId("uptime"), `up ${span(-ahead(told.started_at, told.now))}`);
  draw();
}

function draw() {
  if (!overview) return;
  const age = overview.published_at ? `published ${span(-ahead(overview.published_at, overview.now))} ago` : "not published yet";
  const silent = overview.publishing ? "" : "; nothing is published now, endpoints are as this replica sees them";
  say(byId("published"), `, ${age}${silent}; ${overview.gateways_heard} gateway${overview.gateways_heard === 1 ? "" : "s"} heard`);
  const wanted = byId("endpoint-search").value.trim().toLowerCase();
  const found = overview.endpoints.filter((row) => row.endpoint.toLowerCase().includes(wanted));
  const well = found.filter((row) => !inTrouble(row));
  endpoints.update([{ title: "In trouble", rows: found.filter(inTrouble) }, { title: "Well", rows: well }]);
  say(byId("endpoint-count"), `${found.length} of ${overview.endpoints.length}`);
  say(byId("announced"), overview.endpoints.filter(inTrouble).map((row) => `${row.endpoint}: ${condition(row)[1].split(" ")[0]}`).join("; "));
  sources.update(overview.prices.sources);
  heldBack.update(overview.prices.held_back);
  probes.update(overview.probes);
  drawCertificates(overview.evaluation);
  drawProposals(overview.evaluation);
  say(byId("unknown"), `unknown of ${overview.prices.unknown} of ${overview.endpoints.length} endpoints`);
}

byId("endpoint-search").addEventListener("input", draw);
follow(draw);
ask("config").then((config) => {
  byId("scoring").hidden = !config.routes.some((route) => route.evaluate);
});
listen({ overview: hear }, (word) => {
  say(byId("connection"), word);
  byId("connection").className = `state ${word === "live" ? "ok" : "warn"}`;
});
