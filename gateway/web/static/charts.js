// Small drawings: traffic bars, a line of latencies, attempts on a time axis. All are told in words, too.

import { h, svg } from "./dom.js";
import { ms } from "./words.js";

const WIDTH = 96;
const HEIGHT = 24;

/** buckets: [{ ok, failed }], oldest first. */
export function bars(buckets, words) {
  const most = Math.max(1, ...buckets.map((one) => one.ok + one.failed));
  const step = WIDTH / buckets.length;
  const drawn = buckets.flatMap(({ ok, failed }, at) => {
    const total = ((ok + failed) / most) * (HEIGHT - 1);
    const bad = failed ? Math.max(2, (failed / most) * (HEIGHT - 1)) : 0;
    const place = { x: at * step, width: step - 1 };
    return [
      ok ? svg("rect", { ...place, y: HEIGHT - total, height: Math.max(1, total - bad), class: "ok" }) : null,
      bad ? svg("rect", { ...place, y: HEIGHT - bad, height: bad, class: "bad" }) : null,
    ];
  });
  const ground = svg("line", { x1: 0, x2: WIDTH, y1: HEIGHT - 0.5, y2: HEIGHT - 0.5, class: "ground" });
  return picture("spark bars", WIDTH, HEIGHT, words, ground, drawn);
}

/** values: numbers or null, oldest first; gaps stay gaps. */
export function line(values, words) {
  const known = values.filter((value) => value !== null);
  if (!known.length) return picture("spark", WIDTH, HEIGHT, words);
  const most = Math.max(...known);
  const step = WIDTH / Math.max(1, values.length - 1);
  const at = (value, index) => [index * step, HEIGHT - 2 - (value / most) * (HEIGHT - 5)];
  const parts = [];
  let part = [];
  for (const [index, value] of values.entries()) {
    if (value !== null) part.push(at(value, index));
    else if (part.length) parts.push(part.splice(0));
  }
  if (part.length) parts.push(part);
  const drawn = parts.map((points) =>
    points.length === 1
      ? svg("circle", { cx: points[0][0], cy: points[0][1], r: 1.2, class: "dot" })
      : svg("polyline", { points: points.map((point) => point.map((x) => x.toFixed(1)).join(",")).join(" ") }),
  );
  return picture("spark", WIDTH, HEIGHT, words, drawn);
}

function picture(kind, width, height, words, ...drawn) {
  return svg("svg", { class: kind, viewBox: `0 0 ${width} ${height}`, width, height, role: "img", "aria-label": words,
    preserveAspectRatio: "none" },
    ...drawn);
}

/** Attempts of one request on a common time axis. */
export function timeline(decision) {
  const ends = decision.attempts.map((one) => one.started_ms + one.duration_ms);
  const whole = Math.max(decision.latency_ms, ...ends, 0.001);
  const ticks = axis(whole);
  const share = (value) => `${((100 * value) / whole).toFixed(2)}%`;
  const rows = decision.attempts.map((one) => {
    const good = one.outcome === "ok";
    const words = `${good ? "answered" : one.outcome.replaceAll("_", " ")}`;
    const place = { "--from": share(one.started_ms), "--long": share(one.duration_ms) };
    const first = one.ttft_ms === null ? null
      : h("span", { class: "first", style: { "--at": share(one.started_ms + one.ttft_ms) } });
    return h("li", {},
      h("span", { class: "who" }, one.endpoint),
      h("span", { class: "track", "aria-hidden": "true" },
        h("span", { class: `stretch ${good ? "ok" : "bad"}`, style: place }), first),
      h("span", { class: "how" }, h("b", { class: good ? "ok" : "bad" }, words), ` ${ms(one.duration_ms)}`,
        one.ttft_ms === null ? null : `, first token ${ms(one.ttft_ms)}`,
        one.status === null ? null : `, status ${one.status}`,
        one.error ? h("span", { class: "error" }, one.error) : null),
    );
  });
  const scale = h("li", { class: "scale", "aria-hidden": "true" }, h("span", { class: "track" },
    ticks.map((tick) => h("span", { class: "tick", style: { "--at": share(tick) } }, ms(tick)))));
  return h("ol", { class: "timeline" }, rows, scale);
}

/** Round instants on an axis that ends at `whole` ms. */
function axis(whole) {
  const rough = whole / 4;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map((one) => one * power).find((one) => one >= rough);
  return Array.from({ length: Math.floor(whole / step) + 1 }, (_, at) => at * step);
}
