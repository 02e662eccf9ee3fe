// The first view: how it goes, and what today cost and saved by route and model.

import { bars } from "./charts.js";
import { arrange, byId, h, say, state } from "./dom.js";
import { condition, endpointName, inTrouble } from "./endpoints.js";
import { Experiments } from "./experiments.js";
import { SLICE_MS } from "./history.js";
import { Table } from "./table.js";
import { clock, compact, count, fineUsd, NONE, percent, span, usd } from "./words.js";

const STALE_S = 120; // of the monitor's snapshot: three periods and a bit more

function columns(word, name) {
  return [
    { label: word, value: (row) => row[name], draw: (value) => value || h("span", { class: "muted" }, "not answered") },
    { label: "Requests", kind: "number", value: (row) => row.requests, draw: compact },
    { label: "Spent", kind: "number", value: (row) => row.cost_usd, draw: usd },
    { label: "Saved", kind: "number", value: (row) => (row.compared ? row.saved_usd : null), draw: usd },
    {
      label: "of baseline", kind: "share",
      value: (row) => (row.baseline_cost_usd > 0 ? row.saved_usd / row.baseline_cost_usd : null),
      draw: (value) => (value === null ? NONE : gauge(value)),
    },
  ];
}

/** A share as a bar and in figures. */
function gauge(share) {
  const width = `${Math.round(100 * Math.min(1, Math.max(0, share)))}%`;
  return h("span", { class: "gauge" }, h("span", { class: "bar", "aria-hidden": "true", style: { "--share": width } }),
    percent(share));
}

function spentBeside(today) {
  if (today.unpriced) return `${count(today.unpriced)} of unknown cost`;
  return today.requests ? `${fineUsd(today.cost_usd / today.requests)} a request` : "what providers charge";
}

export class TodayView {
  constructor(history) {
    this.history = history;
    this.routes = new Table({
      caption: "Spent and saved by route", columns: columns("Route", "route"), key: (row) => row.route,
      empty: "No request has ended yet.",
    });
    this.models = new Table({
      caption: "Spent and saved by model", columns: columns("Model", "model"), key: (row) => row.model,
      empty: "No request has ended yet.",
    });
    this.experiments = new Experiments();
    byId("by-route").append(this.routes.element);
    byId("by-model").append(this.models.element);
  }

  update(overview) {
    const today = overview.today;
    const since = today.since_midnight ? "00:00 UTC" : `the gateway began, ${clock(today.since).slice(0, 5)} UTC`;
    say(byId("since"), `Since ${since}`);
    const judged = today.ok + today.failed;
    this.figure("requests", count(today.requests), `${overview.inflight} in flight`);
    this.figure("success", percent(judged ? today.ok / judged : null), `${count(today.failed)} failed`);
    this.figure("spent", usd(today.cost_usd), spentBeside(today));
    this.figure("saved", usd(today.compared ? today.saved_usd : null), today.baseline_cost_usd > 0
      ? `${percent(today.saved_usd / today.baseline_cost_usd)} of ${usd(today.baseline_cost_usd)}` : "against the baseline");
    this.traffic();
    this.routes.update(today.by_route);
    this.models.update(today.by_model);
    this.experiments.update(overview.experiments);
    this.hours(today.by_hour);
    this.attention(overview);
  }

  figure(name, value, beside) {
    say(byId(`figure-${name}`), value);
    say(byId(`beside-${name}`), beside);
  }

  traffic() {
    const slices = this.history.all();
    const last = slices.at(-2);
    const perSecond = (last.ok + last.failed) / (SLICE_MS / 1_000);
    const words = `${perSecond.toFixed(1)} attempts a second`;
    if (this.drawn === JSON.stringify(slices)) return;
    this.drawn = JSON.stringify(slices);
    byId("traffic").replaceChildren(bars(slices, `attempts in the last 3 minutes; now ${words}`));
    say(byId("traffic-now"), words);
  }

  hours(rows) {
    const place = byId("hours");
    byId("hours-panel").hidden = rows.length < 2;
    const signature = JSON.stringify(rows);
    if (place.dataset.drawn === signature) return;
    place.dataset.drawn = signature;
    const most = Math.max(...rows.map((row) => row.cost_usd + Math.max(0, row.saved_usd)), 1e-12);
    const at = new Map(rows.map((row) => [row.hour, row]));
    const share = (value) => `${((100 * Math.max(0, value)) / most).toFixed(1)}%`;
    arrange(place, Array.from({ length: 24 }, (_, hour) => {
      const row = at.get(hour);
      const words = row ? `${hour}:00: ${usd(row.cost_usd)} spent, ${usd(row.saved_usd)} saved` : `${hour}:00: nothing`;
      return h("li", { title: words }, h("span", { class: "unseen" }, words),
        row ? h("span", { class: "saved", style: { "--share": share(row.saved_usd) } }) : null,
        row ? h("span", { class: "spent", style: { "--share": share(row.cost_usd) } }) : null,
        hour % 6 ? null : h("span", { class: "hour", "aria-hidden": "true" }, String(hour).padStart(2, "0")));
    }));
  }

  attention(overview) {
    const items = overview.endpoints.filter(inTrouble).map((row) => {
      const [kind, word] = condition(row);
      return h("li", {}, state(kind, word), endpointName(row.endpoint),
        row.last_error ? h("span", { class: "why", title: row.last_error }, row.last_error) : null);
    });
    if (overview.ready !== "ready") items.unshift(h("li", {}, state("warn", overview.ready)));
    if (overview.snapshot_age_s === null) {
      items.push(h("li", {}, state("off", "no monitor"), "routes by what this gateway sees itself"));
    } else if (overview.snapshot_age_s > STALE_S) {
      items.push(h("li", {}, state("warn", "old snapshot"), `the monitor’s word is ${span(overview.snapshot_age_s)} old`));
    }
    const unkeyed = new Set(overview.endpoints.filter((row) => !row.key).map((row) => row.provider));
    if (unkeyed.size) items.push(h("li", {}, state("off", "no key"), [...unkeyed].sort().join(", ")));
    if (!items.length) items.push(h("li", {}, state("ok", `all ${overview.endpoints.length} endpoints are well`)));
    byId("attention").replaceChildren(...items);
  }
}
