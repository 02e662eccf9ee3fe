// What the server tells: one stream of events, with a way back after every interruption.

const AGAIN_MS = 5_000; // after the server has refused the stream (too many listen); else the browser tries by itself

/** Listen; `on` has a function for each kind of event, `state` hears "live" or why not. */
export function listen(on, state) {
  const stream = new EventSource("api/stream");
  stream.addEventListener("open", () => state("live"));
  stream.addEventListener("error", () => {
    if (stream.readyState !== EventSource.CLOSED) {
      state("reconnecting");
      return;
    }
    state("not live");
    setTimeout(() => listen(on, state), AGAIN_MS);
  });
  for (const [name, hear] of Object.entries(on)) {
    stream.addEventListener(name, (event) => hear(JSON.parse(event.data)));
  }
}

/** JSON of this address, asked once. Throws where there is none, with the `status` where the server refused. */
export async function ask(path, options = {}) {
  const response = await fetch(path, { headers: { accept: "application/json" }, ...options });
  const told = await response.json();
  if (!response.ok) throw Object.assign(new Error(told.error?.message ?? `status ${response.status}`), { status: response.status });
  return told;
}
