// What happened in the last minutes, kept in this page alone: attempts per endpoint in slices of time.
//
// Traffic is the difference between two overviews, so it is exact at any rate. Before the page was opened, and for
// first tokens, the decisions say it; of many they are a sample.

export const SLICE_MS = 5_000;
export const SLICES = 36;

export class History {
  constructor() {
    this.endpoints = new Map();
    this.before = new Map(); // counters of the overview before
    this.beganMs = null; // when traffic began to be told by counters
    this.nowMs = 0;
    this.seen = new Set(); // ids of decisions
  }

  /** The decision's attempts; only of those made before the page was opened they count as traffic. */
  decided(decision) {
    if (this.seen.has(decision.id)) return;
    this.seen.add(decision.id);
    const cameMs = Date.parse(decision.time);
    this.nowMs = Math.max(this.nowMs, cameMs);
    for (const attempt of decision.attempts) {
      const slice = this.slice(attempt.endpoint, cameMs + attempt.started_ms);
      if (attempt.ttft_ms !== null) slice.firsts.push(attempt.ttft_ms);
      if (this.beganMs === null || cameMs < this.beganMs) {
        if (attempt.outcome === "ok") slice.ok += 1;
        else if (attempt.outcome !== "cancelled") slice.failed += 1;
      }
    }
  }

  /** The counters of an overview. */
  counted(overview) {
    this.nowMs = Date.parse(overview.now);
    this.beganMs ??= this.nowMs;
    for (const { endpoint, ok, failed, rate_limited: limited } of overview.endpoints) {
      const before = this.before.get(endpoint);
      const now = { ok, failed: failed + limited };
      this.before.set(endpoint, now);
      if (!before || now.ok < before.ok) continue; // the first look, or the gateway began anew
      if (now.ok === before.ok && now.failed === before.failed) continue;
      const slice = this.slice(endpoint, this.nowMs);
      slice.ok += now.ok - before.ok;
      slice.failed += Math.max(0, now.failed - before.failed);
    }
    this.forget();
  }

  slice(endpoint, atMs) {
    if (!this.endpoints.has(endpoint)) this.endpoints.set(endpoint, new Map());
    const slices = this.endpoints.get(endpoint);
    const tick = Math.floor(atMs / SLICE_MS);
    if (!slices.has(tick)) slices.set(tick, { ok: 0, failed: 0, firsts: [] });
    return slices.get(tick);
  }

  forget() {
    const oldest = Math.floor(this.nowMs / SLICE_MS) - SLICES;
    for (const slices of this.endpoints.values()) {
      for (const tick of slices.keys()) if (tick < oldest) slices.delete(tick);
    }
    if (this.seen.size > 5_000) this.seen = new Set([...this.seen].slice(-1_000));
  }

  /** The last minutes of an endpoint, oldest first: [{ ok, failed, first }], `first` the 95th percentile in ms. */
  of(endpoint) {
    const slices = this.endpoints.get(endpoint) ?? new Map();
    return this.ticks().map((tick) => {
      const slice = slices.get(tick);
      return slice ? { ok: slice.ok, failed: slice.failed, first: p95(slice.firsts) } : { ok: 0, failed: 0, first: null };
    });
  }

  /** All endpoints together: [{ ok, failed }]. */
  all() {
    return this.ticks().map((tick) => {
      const sum = { ok: 0, failed: 0 };
      for (const slices of this.endpoints.values()) {
        const slice = slices.get(tick);
        if (slice) {
          sum.ok += slice.ok;
          sum.failed += slice.failed;
        }
      }
      return sum;
    });
  }

  ticks() {
    const last = Math.floor(this.nowMs / SLICE_MS);
    return Array.from({ length: SLICES }, (_, at) => last - SLICES + 1 + at);
  }
}

function p95(values) {
  if (!values.length) return null;
  const ascending = [...values].sort((a, b) => a - b);
  return ascending[Math.ceil(0.95 * ascending.length) - 1];
}
