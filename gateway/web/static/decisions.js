// The view of decisions: the last ones with filters, each opening to its attempts on a time axis.

import { timeline } from "./charts.js";
import { byId, choices, h, say, state } from "./dom.js";
import { endpointName } from "./endpoints.js";
import { ask } from "./live.js";
import { Table } from "./table.js";
import { clock, compact, fineUsd, ms, NONE, percent, spoken } from "./words.js";

const KEPT = 500; // as many as the gateway keeps
const SHOWN = 60; // rows of the table, until someone asks for more

const KINDS = { ok: "ok", partial: "warn", failed: "bad", rejected: "warn", cancelled: "off" };

const COLUMNS = [
  { label: "Time (UTC)", kind: "time", value: (row) => row.time, draw: (value) => clock(value) },
  { label: "Outcome", value: (row) => [row.outcome, row.status], draw: ([outcome, status]) =>
    h("span", {}, state(KINDS[outcome] ?? "warn", outcome), status === 200 ? null : h("span", { class: "tag" }, status)) },
  { label: "Route", value: (row) => [row.route, row.variant], draw: ([route, variant]) =>
    h("span", {}, route ?? NONE, variant ? h("span", { class: "tag" }, variant) : null) },
  { label: "Task", value: (row) => [row.task, row.tier_required], draw: ([task, tier]) =>
    h("span", {}, task ?? NONE, tier ? h("span", { class: "tag" }, tier) : null) },
  { label: "Asked for", value: (row) => row.model || NONE, draw: (value) => h("span", { class: "clip", title: value }, value) },
  { label: "Answered by", value: (row) => [row.endpoint, row.attempts.map((one) => one.outcome)], draw: ([endpoint, ends]) =>
    h("span", {}, endpoint ? endpointName(endpoint) : NONE, ends.length > 1 ? trail(ends) : null) },
  { label: "First token", kind: "number", value: (row) => row.ttft_ms, draw: (value) => ms(value) },
  { label: "Total", kind: "number", value: (row) => row.latency_ms, draw: (value) => ms(value) },
  { label: "Cost", kind: "number", value: (row) => row.cost_usd, draw: fineUsd },
  { label: "Saved", kind: "number", value: (row) => row.saved_usd, draw: fineUsd },
];

/** The attempts of a request as marks, in their order. */
function trail(ends) {
  const words = `${ends.length} attempts: ${ends.map(spoken).join(", ")}`;
  return h("span", { class: "trail", role: "img", "aria-label": words, title: words },
    ends.map((end) => h("i", { class: end === "ok" ? "ok" : "bad" })));
}

export class DecisionsView {
  constructor() {
    this.decisions = []; // newest first
    this.ids = new Set();
    this.more = false;
    this.paused = false;
    this.table = new Table({
      caption: "Last decisions", columns: COLUMNS, key: (row) => row.id,
      empty: "No decision fits.", detail: (row) => detail(row),
    });
    byId("decision-table").append(this.table.element);
    this.filters = ["route", "outcome", "endpoint", "id"].map((name) => [name, byId(`decision-${name}`)]);
    for (const [, field] of this.filters) field.addEventListener("input", () => this.draw());
    byId("decision-filters").addEventListener("submit", (event) => event.preventDefault());
    byId("decision-more").addEventListener("click", () => {
      this.more = true;
      this.draw();
    });
    byId("decision-pause").addEventListener("click", (event) => {
      this.paused = !this.paused;
      event.currentTarget.setAttribute("aria-pressed", String(this.paused));
      say(event.currentTarget, this.paused ? "Resume" : "Pause");
      this.draw();
    });
  }

  /** Decisions, newest first. */
  add(decisions) {
    const fresh = decisions.filter((one) => !this.ids.has(one.id));
    if (!fresh.length) return;
    this.decisions = [...fresh, ...this.decisions].slice(0, KEPT);
    this.ids = new Set(this.decisions.map((one) => one.id));
    if (!this.paused) this.draw();
  }

  draw() {
    const names = (of) => [...new Set(this.decisions.flatMap(of))].filter(Boolean).sort();
    const any = (word, values) => [["", word], ...values.map((value) => [value, value])];
    choices(byId("decision-route"), any("All routes", names((one) => [one.route])));
    choices(byId("decision-endpoint"), any("All endpoints", names((one) => one.attempts.map((row) => row.endpoint))));
    const wanted = Object.fromEntries(this.filters.map(([name, field]) => [name, field.value.trim()]));
    const found = this.decisions.filter((one) => fits(one, wanted));
    this.table.update(this.more ? found : found.slice(0, SHOWN));
    byId("decision-more").hidden = this.more || found.length <= SHOWN;
    say(byId("decision-more"), `Show all ${found.length}`);
    say(byId("decision-count"), `${found.length} of the last ${this.decisions.length}`);
  }
}

const fits = (one, { route, outcome, endpoint, id }) =>
  (!route || one.route === route) &&
  (!outcome || one.outcome === outcome) &&
  (!endpoint || one.attempts.some((row) => row.endpoint === endpoint)) &&
  one.id.startsWith(id);

/** What opens below a decision; the whole record is asked for when it does. */
function detail(row) {
  const place = h("div", { class: "detail" }, row.attempts.length ? timeline(row) : null,
    row.error ? h("p", { class: "error" }, row.error) : null);
  const facts = h("div", { class: "facts" });
  place.append(facts);
  ask(`api/decisions/${encodeURIComponent(row.id)}`)
    .then((record) => facts.replaceChildren(...told(record)))
    .catch((error) => facts.replaceChildren(h("p", { class: "error" }, error.message)));
  return place;
}

function told(record) {
  const usage = record.usage;
  const rows = [
    ["Decision", h("a", { href: `api/decisions/${encodeURIComponent(record.id)}` }, record.id)],
    ["Surface", `${record.surface}${record.stream ? ", streamed" : ""}`],
    ["Task", record.task && `${record.task}, ${percent(record.task_confidence)} sure, difficulty ${record.difficulty}`],
    ["Tier", record.tier_required && `${record.tier_required}${record.escalated ? ", escalated" : ""}`
      + `${record.learned?.certificate ? `, one lower than the rules ask, by certificate ${record.learned.certificate}` : ""}`],
    ["Sensitivity", record.sensitivity.join(", ")],
    ["Key", record.key_id],
    ["Tags", Object.entries(record.tags).map(([name, value]) => `${name}=${value}`).join(", ")],
    ["Tokens", usage && `${compact(usage.input)} in${usage.cached_input ? ` (${compact(usage.cached_input)} cached)` : ""}, `
      + `${compact(usage.output)} out${usage.reasoning ? ` (${compact(usage.reasoning)} reasoning)` : ""}`
      + `${usage.estimated ? ", estimated" : ""}`],
    ["Cost", `${fineUsd(record.cost_usd)}${record.baseline ? `; ${record.baseline} would have cost ${fineUsd(record.baseline_cost_usd)}` : ""}`],
    ["Plan", record.plan.join(" → ")],
    ["Excluded", Object.entries(record.excluded).map(([why, number]) => `${spoken(why)}: ${number}`).join(", ")],
    ["Form", record.format_ok === undefined ? null : record.format_ok ? "JSON, as asked" : "no JSON, though asked"],
    ["Dropped", record.dropped.join(", ")],
    ["Prompt", record.prompt_chars && `${compact(record.prompt_chars)} characters, hash ${record.prompt_hash}`],
  ];
  return [h("dl", {}, rows.filter(([, value]) => value).map(([name, value]) =>
    h("div", {}, h("dt", {}, name), h("dd", {}, value))))];
}
