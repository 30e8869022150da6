// What is shown: elements made from text. Nothing that a task says is ever read as HTML.

export const $ = (id) => document.getElementById(id);

export function element(tag, text = "", kind = "") {
  const made = document.createElement(tag);
  made.textContent = text;
  if (kind) made.className = kind;
  return made;
}

export function button(text, act, kind = "") {
  const made = element("button", text, kind);
  made.type = "button";
  made.addEventListener("click", act);
  return made;
}

export function problem(error) {
  $("problem").textContent = error ? String(error.message ?? error) : "";
  $("problem").hidden = !error;
}

export const words = (status) => (status ?? "").replace("TASK_STATUS_", "").toLowerCase();

export function spent(usage) {
  if (!usage) return "";
  const tokens = Number(usage.total_tokens ?? 0).toLocaleString("en");
  const cost = usage.cost_usd ?? (usage.cost_microusd ?? 0) / 1e6;
  return `${tokens} tokens, $${Number(cost.toFixed(6))}`;
}

export function line(taskId, query, detail) {
  const item = element("li");
  const link = element("a", query || taskId);
  link.href = `#${encodeURIComponent(taskId)}`;
  item.append(link, " ", element("span", detail, "soft"));
  return item;
}

const QUIET = new Set(["LLM_PARTIAL", "LLM_PROMPT", "STREAM_END", "WORKFLOW_COMPLETED", "done"]);

// One line of the log for an event; null for what is shown elsewhere.
export function logged(kind, event) {
  if (QUIET.has(kind) || (kind === "LLM_OUTPUT" && event.agent_id === "final_output")) return null;
  const item = element("li");
  const payload = event.payload ?? {};
  const said = {
    LLM_OUTPUT: () => `${event.metadata?.model_used ?? payload.model_used ?? "model"} answered`,
    TOOL_INVOKED: () => `${payload.tool ?? ""} ${JSON.stringify(payload.params ?? {})}`,
    TOOL_OBSERVATION: () => `${payload.tool ?? ""}: ${event.message ?? ""}`,
  }[kind];
  const text = (said ? said() : event.message || payload.checkpoint || "").slice(0, 300);
  item.append(element("span", kind.replace(/^workflow\./, "").replaceAll("_", " ").toLowerCase(), "kind"));
  if (event.agent_id) item.append(element("span", event.agent_id, "kind"));
  item.append(text);
  return item;
}

const TICK = { done: "✓", running: "▸", failed: "✗", skipped: "–", pending: "·" };

export function planned(plan) {
  return (plan?.subtasks ?? []).map((part) => {
    const item = element("li", `${TICK[part.state] ?? "·"} ${part.description ?? part.id}`);
    item.append(" ", element("span", [part.role, part.state].filter(Boolean).join(", "), "soft"));
    return item;
  });
}
