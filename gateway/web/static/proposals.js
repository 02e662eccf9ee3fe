// The view of proposals: what a person may change in the configuration, on what evidence, and as a diff. Nothing is
// applied from here.

import { byId, h, say, state } from "./dom.js";
import { count, percent, usd } from "./words.js";

const KINDS = { "+": "added", "-": "removed", "@": "place" };
let drawn = "";

/** What a day would cost less, as far as the pairs can tell. */
function saving(told) {
  if (!told) return h("p", { class: "saving muted" }, "What it saves is not known yet: too few pairs, or prices are missing.");
  const { usd_per_day: value, share, pairs } = told;
  const amount = `${value < 0 ? "Costs" : "Saves"} about ${usd(Math.abs(value))} a day`;
  const part = share === null ? "" : `, ${percent(Math.abs(share))} of what these requests cost now`;
  return h("p", { class: "saving" }, h("strong", {}, amount), `${part} `, h("span", { class: "muted" }, `(an estimate from ${count(pairs)} pairs)`));
}

/** The lines as they are: their first character says what they are, colour says it again. */
function diff(text, title) {
  const lines = text.replace(/\n$/, "").split("\n");
  const kind = (line, at) => (at < 2 ? "place" : KINDS[line[0]] ?? null);
  const region = { class: "diff", tabindex: "0", role: "region", "aria-label": `Diff: ${title}` };
  return h("pre", region, lines.map((line, at) => h("span", { class: kind(line, at) }, `${line}\n`)));
}

function proposal(told) {
  return h("article", { class: "panel proposal" },
    h("h2", {}, told.title),
    saving(told.saving),
    h("ul", {}, told.evidence.map((line) => h("li", {}, line))),
    told.cautions.map((line) => h("p", { class: "caution" }, state("warn", line))),
    told.diff ? diff(told.diff, told.title) : h("p", { class: "by-hand" }, "In the configuration: ", h("code", {}, told.by_hand)));
}

/** The overview's part `evaluation`. */
export function drawProposals(told) {
  const signature = JSON.stringify(told.proposals);
  if (signature === drawn) return; // whoever reads or copies is left alone
  drawn = signature;
  byId("proposal-list").replaceChildren(...told.proposals.map(proposal));
  byId("proposals-none").hidden = told.proposals.length > 0;
  byId("proposals-how").hidden = told.proposals.length === 0;
  say(byId("proposal-count"), told.proposals.length ? `${told.proposals.length} to decide` : "");
}
