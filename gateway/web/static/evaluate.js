// The scoring page: one pair after the other, judged by button or by key.

import { byId, h, say } from "./dom.js";
import { ask } from "./live.js";
import { markdown, visible } from "./markdown.js";
import { Table } from "./table.js";
import { compact, count, NONE, percent } from "./words.js";

const LOOK_MS = 15_000; // how often it is looked for a new pair where there was none
const SCORER = "pointsman.scorer";
const KEYS = "pointsman.keys";

/** Verdicts as they stand on the page: what is sent, the words, and the keys. */
const VERDICTS = [
  { verdict: "left", words: "Answer 1 better", keys: ["ArrowLeft", "1"], hint: "←", kind: "side" },
  { verdict: "tie", words: "Tie", keys: ["t"], hint: "T" },
  { verdict: "both_bad", words: "Both bad", keys: ["b"], hint: "B" },
  { verdict: "skip", words: "Skip", keys: ["s"], hint: "S" },
  { verdict: "right", words: "Answer 2 better", keys: ["ArrowRight", "2"], hint: "→", kind: "side" },
];
const UNDO = "u";
const NOTHING = "Nothing to score now";

/** What the browser keeps for this page; it may refuse to. */
const kept = {
  read(name) {
    try {
      return localStorage.getItem(name);
    } catch {
      return null;
    }
  },
  write(name, value) {
    try {
      localStorage.setItem(name, value);
    } catch {
      // It is asked again next time.
    }
  },
};

let scorer = "";
let pair = null; // { ticket, prompt, left, right, number, verdict }: the one that is shown
let last = null; // the one that was judged last
let aside = null; // the one that waits while the last verdict is changed
let seen = 0;
let said = new Map(); // number of a pair -> the verdict on it
let busy = false;
let withKeys = kept.read(KEYS) !== "off";
let asWritten = false;

const buttons = VERDICTS.map(({ verdict, words, keys, hint, kind }) =>
  h("button", { type: "button", class: kind, "aria-keyshortcuts": keys.join(" "), "data-verdict": verdict,
    on: { click: () => judge(verdict) } }, words, h("kbd", { "aria-hidden": "true" }, hint)));
const undoButton = h("button", { type: "button", id: "undo", "aria-keyshortcuts": UNDO, on: { click: undo } },
  "Undo", h("kbd", { "aria-hidden": "true" }, UNDO.toUpperCase()));
byId("verdicts").append(...buttons, undoButton);

const share = ({ compared, agreed }) => (compared ? `${percent(agreed / compared)} of ${compact(compared)}` : NONE);
const progress = new Table({
  caption: "Progress by route and task", key: (row) => JSON.stringify([row.route, row.task]), empty: "No pair was drawn yet.",
  columns: [
    { label: "Route", value: (row) => row.route },
    { label: "Task", value: (row) => row.task },
    { label: "Waiting", kind: "number", title: "for their second answer", value: (row) => row.waiting, draw: compact },
    { label: "Complete", kind: "number", value: (row) => row.complete, draw: compact },
    { label: "By people", kind: "number", value: (row) => row.by_people, draw: compact },
    { label: "By a model", kind: "number", value: (row) => row.by_model, draw: compact },
    { label: "By nobody", kind: "number", title: "one model would have given both answers", value: (row) => row.same, draw: compact },
    { label: "People agree", kind: "number", value: (row) => row.people_agree, draw: share },
    { label: "Model agrees", kind: "number", title: "with people", value: (row) => row.model_agrees, draw: share },
  ],
});
byId("progress").append(progress.element);

/** Do one thing at a time; what fails is said, and what is shown stays. */
async function alone(work) {
  if (busy) return;
  busy = true;
  try {
    await work();
    problem("");
  } catch (error) {
    problem(`${error.message}. Nothing was lost; try again.`);
  } finally {
    busy = false;
  }
}

function problem(words) {
  byId("problem").hidden = !words;
  say(byId("problem"), words);
}

function show(name) {
  for (const view of ["name", "pair", "done"]) byId(`view-${view}`).hidden = view !== name;
  byId("who").hidden = name === "name";
}

/** Ask for the next pair and show it; `news` is read out before it. */
async function next(news) {
  const told = await ask(`api/evaluation/next?scorer=${encodeURIComponent(scorer)}`);
  if (told.done) {
    nothing(told.waiting, news);
  } else {
    seen += 1;
    open({ ...told, number: seen, verdict: null }, news);
  }
  tally();
}

/** The numbers; without them the page is as useful, so a failure is left for the next time. */
async function tally() {
  const scored = [...said.values()].filter((verdict) => verdict !== "skip").length;
  say(byId("scorer"), `${scorer}, ${count(scored)} scored`);
  try {
    progress.update((await ask("api/evaluation/progress")).progress);
    byId("view-progress").hidden = false;
  } catch {
    // Whatever is wrong is said where a pair or a verdict fails, too.
  }
}

function nothing(waiting, news) {
  const wait = waiting === 1 ? "One pair waits" : `${count(waiting)} pairs wait`;
  say(byId("done-words"), waiting ? `${wait} for a second answer. This page looks again by itself.`
    : "Every pair is scored, or is with somebody else. This page looks again by itself.");
  byId("done-undo").hidden = last === null;
  const before = !byId("view-done").hidden && byId("done-title").textContent === NOTHING;
  pair = null;
  say(byId("done-title"), NOTHING);
  show("done");
  if (before) return;
  byId("done-title").focus();
  say(byId("announced"), `${news}${NOTHING}.`);
}

/** Show this pair from its beginning. */
function open(one, news) {
  pair = one;
  show("pair");
  draw();
  for (const id of ["prompt", "left", "right"]) byId(id).scrollTop = 0;
  window.scrollTo(0, 0);
  byId("pair-title").focus({ preventScroll: true });
  const words = `pair ${pair.number}${pair.verdict ? ", changing your verdict" : ""}`;
  say(byId("pair-count"), words);
  say(byId("announced"), `${news}${words[0].toUpperCase()}${words.slice(1)}.`);
}

function draw() {
  const texts = asWritten ? (text) => [h("pre", {}, visible(text))] : markdown;
  byId("prompt").replaceChildren(h("p", {}, visible(pair.prompt)));
  byId("left").replaceChildren(...texts(pair.left));
  byId("right").replaceChildren(...texts(pair.right));
  for (const button of buttons) button.setAttribute("aria-pressed", String(button.dataset.verdict === pair.verdict));
  undoButton.disabled = last === null;
}

async function send(verdict) {
  const body = JSON.stringify({ ticket: pair.ticket, scorer, verdict });
  await ask("api/evaluation/verdicts", { method: "POST", headers: { "content-type": "application/json" }, body });
}

function judge(verdict) {
  if (!pair) return;
  alone(async () => {
    let news = `${VERDICTS.find((one) => one.verdict === verdict).words}. `;
    try {
      await send(verdict);
      said.set(pair.number, verdict);
      last = pair = { ...pair, verdict }; // shown until the next one is there: whoever presses again says the same again
    } catch (error) {
      if (!(error.status >= 400 && error.status < 500)) throw error;
      news = `Not taken: ${error.message}. `; // and never will be: the pair is too old, or gone
    }
    const waiting = aside;
    aside = null;
    if (waiting) {
      open(waiting, news);
      tally();
    } else {
      await next(news);
    }
  });
}

/** Back to the pair that was judged last; the one that is shown waits. */
function undo() {
  if (!last || busy) return;
  aside = pair;
  const one = last;
  last = null;
  open(one, "");
}

function began(name) {
  scorer = name;
  kept.write(SCORER, name);
  last = aside = null;
  seen = 0;
  said = new Map();
  show("done");
  return alone(() => next(""));
}

function askName() {
  pair = null;
  show("name");
  byId("name").value = scorer;
  byId("name").focus();
  tally();
}

function setKeys(on) {
  withKeys = on;
  kept.write(KEYS, on ? "on" : "off");
  document.body.classList.toggle("no-keys", !on);
  say(byId("keys"), on ? "Keys: on" : "Keys: off");
}

/** Whether this key has a use of its own where the focus is. */
function isTaken(event) {
  if (event.ctrlKey || event.metaKey || event.altKey || event.repeat) return true;
  const place = document.activeElement;
  if (place?.closest("input, textarea, select")) return true;
  return event.key.startsWith("Arrow") && place !== null && place.scrollWidth > place.clientWidth && place.matches(".text");
}

document.addEventListener("keydown", (event) => {
  if (!withKeys || isTaken(event) || byId("view-name").hidden === false) return;
  const key = event.key.length === 1 ? event.key.toLowerCase() : event.key;
  const found = VERDICTS.find((one) => one.keys.includes(key));
  if (!found && key !== UNDO) return;
  event.preventDefault();
  if (found) judge(found.verdict);
  else undo();
});
byId("keys").addEventListener("click", () => setKeys(!withKeys));
byId("plain").addEventListener("click", () => {
  asWritten = !asWritten;
  say(byId("plain"), asWritten ? "Show as Markdown" : "Show as written");
  draw();
});
byId("again").addEventListener("click", () => alone(() => next("")));
byId("done-undo").addEventListener("click", undo);
byId("change").addEventListener("click", askName);
byId("name-form").addEventListener("submit", (event) => {
  event.preventDefault();
  const name = byId("name").value.trim();
  if (name) began(name);
});
setInterval(() => {
  if (!byId("view-done").hidden && !document.hidden) alone(() => next(""));
}, LOOK_MS);

setKeys(withKeys);
const known = kept.read(SCORER);
if (known) began(known);
else askName();
