// Numbers, money, durations and instants as people read them.

const whole = new Intl.NumberFormat("en-US");
const short = new Intl.NumberFormat("en-US", { notation: "compact", maximumFractionDigits: 1 });

export const NONE = "–";
const RESIDUE = 1e-10; // what sums of doubles leave where there is nothing

export const count = (value) => whole.format(value);

export const compact = (value) => (value < 10_000 ? whole.format(value) : short.format(value));

/** USD, of many requests: cents from a dollar on, four digits below. */
export const usd = (value) => dollars(value, 4);

/** USD, of one request: six digits below a dollar, so that a column lines up. */
export const fineUsd = (value) => dollars(value, 6);

function dollars(value, digits) {
  if (value === null || value === undefined) return NONE;
  const size = Math.abs(value);
  if (size < RESIDUE) return "$0";
  const sign = value < 0 ? "−" : "";
  if (size >= 1000) return `${sign}$${whole.format(Math.round(size))}`;
  if (size >= 1) return `${sign}$${size.toFixed(2)}`;
  const least = 10 ** -digits;
  if (size < least) return digits < 6 ? dollars(value, 6) : `${sign}$${size.toPrecision(1)}`;
  return `${sign}$${size.toFixed(digits)}`;
}

/** USD per million tokens. */
export const rate = (value) => (value === null || value === undefined ? NONE : `$${trimmed(value)}`);

function trimmed(value) {
  const cents = value * 100;
  return Math.abs(cents - Math.round(cents)) < 1e-9 || value >= 1 ? value.toFixed(2) : value.toPrecision(2);
}

export function ms(value) {
  if (value === null || value === undefined) return NONE;
  if (value === 0) return "0 ms";
  if (value < 10) return `${value.toFixed(1)} ms`;
  if (value < 1_000) return `${Math.round(value)} ms`;
  if (value < 100_000) return `${(value / 1_000).toFixed(value < 10_000 ? 2 : 1)} s`;
  return `${Math.round(value / 1_000)} s`;
}

/** A span of seconds, in its largest unit. */
export function span(seconds) {
  if (seconds < 100) return `${Math.max(0, Math.round(seconds))} s`;
  if (seconds < 6_000) return `${Math.round(seconds / 60)} min`;
  if (seconds < 172_800) return `${Math.round(seconds / 3_600)} h`;
  return `${Math.round(seconds / 86_400)} days`;
}

/** A share of 1; never rounded up to all or down to nothing. */
export function percent(share) {
  if (share === null || share === undefined || Number.isNaN(share)) return NONE;
  const value = Math.abs(share) < RESIDUE ? 0 : share * 100;
  if (value === 0 || share === 1) return `${value} %`;
  if (Math.abs(value) < 99 && Math.abs(value) >= 10) return `${value.toFixed(0)} %`;
  const digits = Math.abs(value) > 99.9 ? 2 : 1;
  const text = value.toFixed(digits);
  return `${Number(text) >= 100 && share < 1 ? "> 99.99" : text} %`;
}

/** The time of day, UTC. */
export const clock = (iso) => iso.slice(11, 19);

/** Code word as words: `breaker_open` → `breaker open`. */
export const spoken = (word) => word.replaceAll("_", " ");
