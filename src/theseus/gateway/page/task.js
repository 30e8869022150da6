// One task: its status now and then, its events as they come, the buttons that steer it.

import { follow, get, post } from "./api.js";
import * as asking from "./asking.js";
import { markdown } from "./markdown.js";
import { $, element, logged, planned, problem, spent, words } from "./show.js";

const OVER = new Set(["completed", "failed", "cancelled", "timeout"]);
const GOOD = new Set(["completed", "running", "queued"]);
const EVERY = 2000;
const MOST_LINES = 500;
const MOST_READ = 200_000;

// The task that the address names; "" where it names none.
export function named() {
  const written = location.hash.slice(1);
  try {
    return decodeURIComponent(written);
  } catch {
    return written;
  }
}

// Shows the task until `signal` says that another page is wanted.
export async function open(taskId, signal) {
  clear(taskId);
  const partial = { step: null, attempt: null };
  const looking = look(taskId, signal);
  try {
    await follow(taskId, (kind, event) => seen(taskId, kind, event, partial), signal);
    if (!signal.aborted) await refresh(taskId);
  } catch (error) {
    if (!signal.aborted) problem(error);
  }
  await looking;
}

export function steer(taskId, what) {
  return async () => {
    try {
      await post(`api/v1/tasks/${encodeURIComponent(taskId)}/${what}`, { reason: "from the page" });
      problem(null);
      await refresh(taskId);
    } catch (error) {
      problem(error);
    }
  };
}

async function look(taskId, signal) {
  let isBroken = false;
  while (!signal.aborted) {
    try {
      if (await refresh(taskId)) return;
      if (isBroken) problem(null);
      isBroken = false;
    } catch (error) {
      if (signal.aborted) return;
      problem(error);
      if (error.final) return;
      isBroken = true;
    }
    await new Promise((resolve) => setTimeout(resolve, EVERY));
  }
}

let asked = 0;
let told = 0;

async function refresh(taskId) {
  const turn = ++asked;
  const task = await get(`api/v1/tasks/${encodeURIComponent(taskId)}`);
  if (named() !== taskId) return true;
  // an answer that was overtaken by a later one says what is over
  if (turn < told) return false;
  told = turn;
  const status = words(task.status);
  const isOver = OVER.has(status);
  const now = task.metadata?.progress ?? {};
  $("task-title").textContent = task.query || taskId;
  const how = task.metadata?.status;
  const ended = status === "completed" && how && how !== status ? `${status} (${words(how)})` : status;
  $("status").textContent = isOver ? ended : [status, now.phase].filter(Boolean).join(": ");
  $("status").className = `status ${isOver && ended === status && GOOD.has(status) ? "good" : GOOD.has(status) ? "" : "bad"}`;
  $("facts").textContent = [task.mode, spent(task.usage ?? now.usage), task.model_used, now.waiting_for && `waits for ${now.waiting_for}`]
    .filter(Boolean).join(" · ");
  $("pause").disabled = isOver || status === "paused";
  $("resume").disabled = status !== "paused";
  $("cancel").disabled = isOver;
  list("plan", planned(task.metadata?.plan ?? now.plan));
  list("agents", (task.metadata?.agents ?? now.agents ?? []).map(agent));
  if (isOver) {
    asking.close();
    answered(task.result || task.error || "");
  }
  return isOver;
}

function agent(one) {
  if (typeof one === "string") return element("li", one);
  const item = element("li", `${one.agent_id} `);
  item.append(element("span", [one.role, one.status, spent(one.usage)].filter(Boolean).join(", "), "soft"));
  return item;
}

function list(id, items) {
  $(id).replaceChildren(...items);
  $(`${id}-title`).hidden = items.length === 0;
}

function seen(taskId, kind, event, partial) {
  const type = event.type ?? kind;
  if (kind === "thread.message.delta") written(event, partial);
  if (kind === "thread.message.completed" && event.agent_id === "final_output") {
    answered(event.response ?? event.message ?? "");
  }
  if (type === "APPROVAL_REQUESTED") asking.approval(taskId, event);
  if (type === "RESEARCH_PLAN_READY" || type === "RESEARCH_PLAN_UPDATED") asking.review(taskId);
  if (type === "APPROVAL_DECISION") asking.decided(event);
  if (type === "REVIEW_USER_FEEDBACK" || type === "RESEARCH_PLAN_APPROVED") asking.reviewed();
  const item = logged(type, event);
  if (!item) return;
  const log = $("log");
  const atEnd = log.scrollHeight - log.scrollTop - log.clientHeight < 40;
  log.append(item);
  if (log.childElementCount > MOST_LINES) log.firstElementChild.remove();
  if (atEnd) log.scrollTop = log.scrollHeight;
}

// Tokens of the call that speaks now; another call, or another try of it, begins anew.
function written(event, partial) {
  const { step, attempt } = event.payload ?? {};
  const place = `${event.agent_id}/${step}/${attempt}`;
  if (partial.place !== place || event.payload?.reset) plain("");
  partial.place = place;
  $("answer").append(event.delta ?? event.message ?? "");
}

// The answer for good, as it is meant to be read; a very long one as it was written.
function answered(text) {
  if (text.length > MOST_READ) {
    plain(text);
    return;
  }
  $("answer").classList.add("read");
  $("answer").replaceChildren(markdown(text));
}

function plain(text) {
  $("answer").classList.remove("read");
  $("answer").textContent = text;
}

function clear(taskId) {
  asking.close();
  plain("");
  for (const id of ["plan", "agents", "log"]) $(id).replaceChildren();
  for (const id of ["plan-title", "agents-title"]) $(id).hidden = true;
  for (const id of ["status", "facts"]) $(id).textContent = "";
  $("task-title").textContent = taskId;
  const ui = document.querySelector("meta[name=temporal-ui]")?.content;
  $("temporal").hidden = !ui;
  if (ui) $("temporal").href = `${ui.replace(/\/$/, "")}/${encodeURIComponent(taskId)}`;
}
