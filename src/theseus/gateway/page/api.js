// The REST API: requests with the key of this tab, errors as sentences, streams that resume.

const KEY = "theseus.key";

export const key = {
  get: () => sessionStorage.getItem(KEY) ?? "",
  set: (value) => (value ? sessionStorage.setItem(KEY, value) : sessionStorage.removeItem(KEY)),
};

function headers(more = {}) {
  return key.get() ? { "X-API-Key": key.get(), ...more } : more;
}

async function refused(response) {
  let said = "";
  try {
    said = (await response.json()).error;
  } catch {
    // not our JSON: a proxy in between
  }
  if (typeof said === "object" && said) said = said.message;
  if (response.status === 401 && !key.get()) said = "an API key is needed: put yours in above";
  const error = new Error(said || `the gateway answered ${response.status}`);
  // what the next try would get as well
  error.final = response.status < 500 && response.status !== 429;
  return error;
}

export async function get(path) {
  const response = await fetch(path, { headers: headers() });
  if (!response.ok) throw await refused(response);
  return response.json();
}

export async function post(path, body = {}, more = {}) {
  const response = await fetch(path, {
    method: "POST",
    headers: headers({ "Content-Type": "application/json", ...more }),
    body: JSON.stringify(body),
  });
  if (!response.ok) throw await refused(response);
  return response.json();
}

// Calls `seen` for each event once and in order; reads on after a cut; ends after `done`, a refusal or `signal`.
export async function follow(taskId, seen, signal) {
  let last = "";
  for (let pause = 500; !signal.aborted; pause = Math.min(pause * 2, 10000)) {
    try {
      const more = last ? { "Last-Event-ID": last } : {};
      const path = `api/v1/stream/sse?workflow_id=${encodeURIComponent(taskId)}`;
      const response = await fetch(path, { headers: headers(more), signal });
      if (!response.ok) throw await refused(response);
      for await (const event of events(response.body)) {
        if (event.id) last = event.id;
        pause = 500;
        seen(event.name, JSON.parse(event.data));
        if (event.name === "done") return;
      }
    } catch (error) {
      if (signal.aborted) return;
      if (error.final) throw error;
    }
    await new Promise((resolve) => setTimeout(resolve, pause));
  }
}

async function* events(body) {
  const reader = body.pipeThrough(new TextDecoderStream()).getReader();
  let text = "";
  for (;;) {
    const { value, done } = await reader.read();
    if (done) return;
    text += value;
    const blocks = text.split(/\r?\n\r?\n/);
    text = blocks.pop();
    for (const block of blocks) {
      const event = { name: "message", id: "", data: "" };
      for (const line of block.split(/\r?\n/)) {
        const [, field, rest] = /^([a-z]+): ?(.*)$/.exec(line) ?? [];
        if (field === "event") event.name = rest;
        if (field === "id") event.id = rest;
        if (field === "data") event.data += rest;
      }
      if (event.data) yield event;
    }
  }
}
