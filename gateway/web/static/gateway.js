// The gateway's page, put together.

import { DecisionsView } from "./decisions.js";
import { byId, say } from "./dom.js";
import { EndpointsView, condition } from "./endpoints.js";
import { ExplainView } from "./explain.js";
import { History } from "./history.js";
import { ask, listen } from "./live.js";
import { TodayView } from "./today.js";
import { follow } from "./views.js";
import { count, percent, span, usd } from "./words.js";

const SPOKEN_MS = 30_000; // how often the figures are read out to who cannot see them

const history = new History();
const today = new TodayView(history);
const endpoints = new EndpointsView(history);
const decisions = new DecisionsView();
const explain = new ExplainView();

let overview = null;
let generation = null;
let view = "";
let spokenMs = 0;
let conditions = new Map();
let news = []; // decisions not yet drawn

function draw() {
  if (!overview) return;
  if (view === "today") today.update(overview);
  if (view === "endpoints") endpoints.update(overview);
}

function hear(told) {
  overview = told;
  history.counted(told);
  say(byId("version"), `version ${told.version}`);
  say(byId("uptime"), `up ${span((Date.parse(told.now) - Date.parse(told.started_at)) / 1_000)}`);
  if (told.generation !== generation) {
    generation = told.generation;
    ask("config").then((config) => explain.configured(config));
  }
  announce(told);
  draw();
}

/** Read out what changed: breakers at once, figures now and then. */
function announce(told) {
  const now = new Map(told.endpoints.map((row) => [row.endpoint, condition(row)[0]]));
  const changed = told.endpoints.filter((row) => conditions.has(row.endpoint) && conditions.get(row.endpoint) !== now.get(row.endpoint));
  conditions = now;
  if (changed.length) {
    say(byId("announced"), changed.map((row) => `${row.endpoint}: ${condition(row)[1]}`).join("; "));
  } else if (Date.now() - spokenMs > SPOKEN_MS) {
    spokenMs = Date.now();
    const day = told.today;
    const judged = day.ok + day.failed;
    say(byId("announced"), `${count(day.requests)} requests, ${percent(judged ? day.ok / judged : null)} good, `
      + `${usd(day.cost_usd)} spent, ${usd(day.saved_usd)} saved`);
  }
}

/** Decisions come one by one and are drawn together. */
function decided(decision) {
  if (!news.length) {
    requestAnimationFrame(() => {
      const drawn = news;
      news = [];
      take(drawn.reverse());
    });
  }
  news.push(decision);
}

function take(newestFirst) {
  for (const one of newestFirst) history.decided(one);
  decisions.add(newestFirst);
}

function connected(state) {
  const place = byId("connection");
  say(place, state);
  place.className = `state ${state === "live" ? "ok" : "warn"}`;
}

follow((name) => {
  view = name;
  draw();
});
const last = () => ask("api/decisions?limit=500").then((told) => take(told.decisions));
last().finally(() => listen({ overview: hear, decision: decided }, (state) => {
  connected(state);
  if (state === "live" && overview) last(); // what was missed while nobody told
}));
