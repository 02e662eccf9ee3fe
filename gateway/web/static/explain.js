// "Why this model?": the plan for a request that is not sent, as a tree of reasons; and the routes with their plans.

import { byId, choices, h, say, state } from "./dom.js";
import { condition, endpointName } from "./endpoints.js";
import { ask } from "./live.js";
import { Table } from "./table.js";
import { compact, fineUsd, ms, NONE, percent, spoken, usd } from "./words.js";

const OTHERS_SHOWN = 8;

const REASONS = {
  sensitivity: "provider does not guarantee what the sensitivity requires",
  context: "context too short for this prompt",
  tier: "below the required tier",
  not_allowed: "left out by the named model or the request’s own rules",
  price: "dearer than the request allows, or of unknown price",
  cost_limit: "cannot promise to stay within the cost limit",
  breaker_open: "breaker open",
  rate_limited: "provider has asked to wait",
  no_key: "no key for the provider",
};

function reason(code) {
  if (code.startsWith("capability:")) return `cannot do ${spoken(code.slice(11))}`;
  return REASONS[code] ?? spoken(code);
}

const BY = { route: "the route asks for it", header: "asked for", scanner: "found in the text" };

export class ExplainView {
  constructor() {
    this.form = byId("explain-form");
    this.result = byId("explain-result");
    this.plans = new Map(); // route -> plan of the last request
    this.routes = new Table({
      caption: "Routes, first match first", columns: routeColumns(this.plans), key: (row) => row.name,
      empty: "No route is configured.",
    });
    this.config = [];
    byId("route-table").append(this.routes.element);
    this.form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.explain();
    });
  }

  /** The configuration in force. */
  configured(config) {
    this.config = config.routes;
    const any = (word, values) => [["", word], ...values.map((value) => [value, value])];
    choices(byId("explain-route"), any("by its match", config.routes.map((route) => route.name)));
    choices(byId("explain-sensitivity"), any("none", Object.keys(config.sensitivity)));
    choices(byId("explain-tier"), any("by its task", config.tiers));
    this.routes.update(this.config);
  }

  async explain() {
    const route = byId("explain-route").value;
    this.result.setAttribute("aria-busy", "true");
    try {
      this.show(await this.asked(route));
    } catch (error) {
      this.result.replaceChildren(refusal({ message: error.message }));
    }
    this.result.removeAttribute("aria-busy");
    for (const { name } of this.config) {
      try {
        this.plans.set(name, await this.asked(name));
      } catch (error) {
        this.plans.set(name, { plan: [], error: { message: error.message } });
      }
      this.routes.update(this.config);
    }
  }

  asked(route) {
    const headers = { "content-type": "application/json" };
    for (const [name, value] of [["route", route], ["sensitivity", byId("explain-sensitivity").value],
      ["tier", byId("explain-tier").value]]) {
      if (value) headers[`x-pointsman-${name}`] = value;
    }
    const messages = [{ role: "user", content: byId("explain-prompt").value }];
    const body = JSON.stringify({ model: byId("explain-model").value.trim() || "auto", messages });
    return ask("api/explain", { method: "POST", headers, body });
  }

  show(told) {
    const first = told.endpoints?.find((row) => row.endpoint === told.plan[0]);
    const head = first
      ? h("p", { class: "answer" }, endpointName(first.endpoint), h("span", { class: "muted" }, ` ${because(told, first)}`))
      : null;
    this.result.replaceChildren(...[head, told.error ? refusal(told.error) : null, told.route ? tree(told) : null].filter(Boolean));
  }
}

function because(told, first) {
  const eligible = told.endpoints.filter((row) => row.eligible).length;
  const cost = first.estimated_cost_usd === null ? "at an unknown price" : `about ${fineUsd(first.estimated_cost_usd)}`;
  return `${cost}, first of ${eligible} that may and can serve it`;
}

function refusal(error) {
  return h("p", { class: "error", role: "alert" }, error.message);
}

/** The stages of the decision, in their order. */
function tree(told) {
  const excluded = told.endpoints.filter((row) => !row.eligible);
  const planned = told.plan.map((id) => told.endpoints.find((row) => row.endpoint === id));
  const others = told.endpoints.filter((row) => row.eligible && !told.plan.includes(row.endpoint));
  return h("ol", { class: "tree" },
    step("Route", told.route, told.variant ? `arm ${told.variant}` : null),
    step("Sensitivity", told.sensitivity.join(", ") || "none", sources(told)),
    step("Task", told.task, `${percent(told.task_confidence)} sure`
      + `${told.task_reasons.length ? `: ${told.task_reasons.join(", ")}` : ""}`),
    step("Tier", told.tier_required ?? "any", `difficulty ${told.difficulty}${told.escalated ? ", escalated" : ""}`
      + `${told.learned?.certificate ? `, one lower than the rules ask, by certificate ${told.learned.certificate}` : ""}`),
    step("Size", `${compact(told.estimated_input_tokens)} tokens in, ${compact(told.estimated_output_tokens)} out`,
      told.cost_limit_usd === null ? null : `at most ${usd(told.cost_limit_usd)}`),
    step("Plan", planned.length ? "tried in this order" : "nobody is left",
      told.panic ? "every endpoint is open; the least bad are tried" : null, planned.length ? ranked(planned) : null),
    others.length ? step("Also eligible", `${others.length}, dearer or further away`, null, list(others)) : null,
    excluded.length ? step("Excluded", String(excluded.length), null, reasons(excluded)) : null,
  );
}

function sources(told) {
  const by = Object.entries(told.sensitivity_by ?? {});
  return by.length ? by.map(([label, who]) => `${label}: ${who.map((one) => BY[one] ?? one).join(", ")}`).join("; ") : null;
}

function step(name, value, beside, below = null) {
  return h("li", {}, h("span", { class: "stage" }, name),
    h("div", { class: "what" }, h("span", { class: "value" }, value), beside ? h("span", { class: "muted" }, ` ${beside}`) : null, below));
}

function ranked(rows) {
  return h("ol", { class: "plan" }, rows.map((row) => h("li", {}, candidate(row))));
}

function list(rows) {
  const hidden = rows.length - OTHERS_SHOWN;
  return h("ul", { class: "plan" }, rows.slice(0, OTHERS_SHOWN).map((row) => h("li", {}, candidate(row))),
    hidden > 0 ? h("li", { class: "muted" }, `and ${hidden} more`) : null);
}

function candidate(row) {
  const [kind, word] = condition(row.health);
  return h("span", { class: "candidate" }, endpointName(row.endpoint),
    h("span", { class: "tag" }, row.tier ?? "no tier"),
    kind === "ok" ? null : state(kind, word),
    h("span", { class: "figures" }, row.health.ttft_p95_ms ? `first token ${ms(row.health.ttft_p95_ms)} · ` : null,
      row.estimated_cost_usd === null ? "price unknown" : fineUsd(row.estimated_cost_usd)));
}

function reasons(excluded) {
  const groups = new Map();
  for (const row of excluded) {
    for (const code of row.reasons) groups.set(code, [...(groups.get(code) ?? []), row.endpoint]);
  }
  const sorted = [...groups].sort(([, one], [, other]) => other.length - one.length);
  return h("ul", { class: "reasons" }, sorted.map(([code, ids]) =>
    h("li", {}, h("details", {}, h("summary", {}, h("b", {}, ids.length), reason(code), " ", h("code", {}, code)),
      h("ul", {}, ids.map((id) => h("li", {}, endpointName(id))))))));
}

// -- routes ---------------------------------------------------------------------------------------------------------

function routeColumns(plans) {
  return [
    { label: "Route", value: (row) => row.name },
    { label: "Takes", value: (row) => takes(row.match),
      draw: (parts) => h("span", { class: "tags" }, parts.map((part, at) => h("span", {}, at ? `and ${part}` : part))) },
    { label: "Rules", value: (row) => rules(row), draw: (words) => h("span", { class: "tags" }, words.map((word) => h("span", { class: "tag" }, word))) },
    { label: "Baseline", value: (row) => row.baseline ?? null, draw: (value) => (value ? endpointName(value) : NONE) },
    {
      label: "Plan for this request",
      value: (row) => [plans.get(row.name)?.plan ?? null, plans.get(row.name)?.error?.message ?? null],
      draw: ([plan, error]) => {
        if (plan === null) return h("span", { class: "muted" }, "ask above");
        if (!plan.length) return h("span", { class: "error" }, error ?? "nobody is left");
        return h("ol", { class: "short" }, plan.map((id) => h("li", {}, endpointName(id))));
      },
    },
  ];
}

function takes(match) {
  if (!match) return ["every request"];
  return [
    ...Object.entries(match.header ?? {}).map(([name, pattern]) => `${name}: ${globbed(pattern)}`),
    ...(match.key ? [`key ${match.key.map(globbed).join(" or ")}`] : []),
    ...(match.model ? [`model ${match.model.map(globbed).join(" or ")}`] : []),
  ];
}

/** A pattern as it was written: the configuration holds it compiled. */
function globbed(pattern) {
  const bare = pattern.replace(/\(\?s?:/g, "").replace(/\)?\\Z\)?/g, "");
  return bare.replaceAll(".*", "*").replaceAll("\\", "");
}

function rules(row) {
  const { min, max } = row.tier ?? {};
  return [
    row.objective,
    row.sensitivity ?? null,
    min ? `tier ≥ ${min}` : null,
    max ? `tier ≤ ${max}` : null,
    row.named_model === "exact" ? null : `named model: ${row.named_model}`,
    row.first_token_p95_ms ? `first token ≤ ${ms(row.first_token_p95_ms)}` : null,
    row.limits.cost_per_request_usd ? `≤ ${usd(row.limits.cost_per_request_usd)}` : null,
    row.escalate ? `escalates ${percent(row.escalate.share)} to ${row.escalate.to}` : null,
    row.split ? `split ${row.split.map((arm) => arm.name).join(" / ")}` : null,
  ].filter(Boolean);
}
