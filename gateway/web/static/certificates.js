// The view of certificates: what is promised, on what grounds, how it goes since, and what had to be withdrawn.

import { byId, h, state } from "./dom.js";
import { Table } from "./table.js";
import { count, NONE, percent, usd } from "./words.js";

const taskOf = (row) => row.task ?? "all others";

/** Where a request may go instead. */
const step = (row) => `${row.from} → ${row.to}`;

const day = (iso) => iso.slice(0, 10);

/** A loss that is one; a gain has a minus. */
function loss(value) {
  return value < 0 ? `−${percent(-value)}` : percent(value);
}

/** How it stands: [kind, words]. */
function standing(row) {
  if (row.certificate?.in_force) return ["ok", "in force"];
  if (row.certificate) return ["warn", "waits for a person"];
  const far = `${count(row.judged)} of ${count(row.due)}`;
  return row.alarms ? ["bad", `withdrawn, ${far}`] : ["off", `${far} judged`];
}

const certificates = new Table({
  caption: "Certificates", key: (row) => `${row.route} ${row.task} ${row.from}`,
  empty: "No pair was judged yet. A route is evaluated where the configuration says evaluate: in it.",
  columns: [
    { label: "Route", value: (row) => row.route },
    {
      label: "Task", value: (row) => [taskOf(row), row.without.join(", ")],
      draw: ([task, without]) => h("span", { title: without ? `all but ${without}` : null }, task),
    },
    { label: "Tier", value: step },
    { label: "Promise", value: (row) => row.promise },
    { label: "State", value: standing, draw: ([kind, words]) => state(kind, words) },
    { label: "Pairs", kind: "number", value: (row) => row.certificate?.pairs ?? null, draw: (value) => (value === null ? NONE : count(value)) },
    { label: "Threshold", kind: "number", value: (row) => row.certificate?.threshold ?? null, draw: (value) => value?.toPrecision(3) ?? NONE },
    { label: "Cheap share", kind: "number", value: (row) => row.certificate?.share ?? null, draw: percent },
    { label: "Measured loss", kind: "number", value: (row) => row.certificate?.loss ?? null, draw: (value) => (value === null ? NONE : loss(value)) },
    {
      label: "Since then", kind: "number", value: (row) => [row.watched_loss, row.watched],
      draw: ([value, pairs]) => (value === null ? NONE : `${loss(value)} of ${count(pairs)}`),
    },
    {
      label: "Since, until", value: (row) => [row.certificate?.since ?? null, row.certificate?.until ?? null],
      draw: ([since, until]) => (since ? h("span", {}, day(since), h("br"), day(until)) : NONE),
    },
  ],
});

const alarms = new Table({
  caption: "Withdrawn", key: (row) => `${row.id} ${row.at}`, empty: "None: no promise was broken.",
  columns: [
    { label: "When (UTC)", value: (row) => row.at },
    { label: "Route", value: (row) => row.route },
    { label: "Task", value: taskOf },
    { label: "Tier", value: step },
    { label: "Lost", kind: "number", value: (row) => row.loss, draw: loss },
    { label: "Pairs", kind: "number", value: (row) => row.watched, draw: count },
    { label: "Promised at most", kind: "number", value: (row) => row.max_loss, draw: percent },
    { label: "Certificate", value: (row) => row.id },
  ],
});

export function placeCertificates() {
  byId("certificate-table").append(certificates.element);
  byId("alarm-table").append(alarms.element);
}

/** The overview's part `evaluation`. */
export function drawCertificates(told) {
  certificates.update(told.certificates);
  alarms.update(told.alarms);
  const spent = Object.entries(told.spent_today_usd).map(([route, cost]) => `${route} ${usd(cost)}`);
  byId("evaluation-spent").textContent = spent.length ? `spent on evaluation today: ${spent.join(", ")}` : "";
}
