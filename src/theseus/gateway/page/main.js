// The page: a list of tasks with a form, or one task, as the address says.

import { get, key, post } from "./api.js";
import { $, line, problem, spent, words } from "./show.js";
import * as task from "./task.js";

const PAGE = 20;
let leaving = new AbortController();
let shown = 0;
let current = "";

async function latest(from) {
  const { tasks, total_count: total } = await get(`api/v1/tasks?limit=${PAGE}&offset=${from}`);
  const lines = tasks.map((one) => line(one.task_id, one.query, [
    words(one.status), new Date(one.created_at).toLocaleString(), spent(one.total_token_usage),
  ].filter(Boolean).join(" · ")));
  if (from) $("latest").append(...lines);
  else $("latest").replaceChildren(...lines);
  shown = from + tasks.length;
  $("more").hidden = shown >= total;
}

function wanted() {
  const text = $("context").value.trim();
  let context;
  try {
    context = text ? JSON.parse(text) : {};
  } catch (error) {
    throw new Error(`the context is no JSON: ${error.message}`);
  }
  const body = { query: $("query").value };
  if ($("mode").value === "research") context.force_research = true;
  else if ($("mode").value) body.mode = $("mode").value;
  if ($("review").checked) context.require_review = true;
  if ($("approval").checked) body.require_approval = true;
  if ($("session").value.trim()) body.session_id = $("session").value.trim();
  if (Object.keys(context).length) body.context = context;
  return body;
}

async function submit(event) {
  event.preventDefault();
  const start = event.submitter ?? $("submit").querySelector("button.main");
  start.disabled = true;
  try {
    const made = await post("api/v1/tasks", wanted(), { "Idempotency-Key": crypto.randomUUID?.() ?? String(Math.random()) });
    problem(null);
    $("query").value = "";
    location.hash = encodeURIComponent(made.task_id);
  } catch (error) {
    problem(error);
  } finally {
    start.disabled = false;
  }
}

async function route() {
  leaving.abort();
  leaving = new AbortController();
  current = task.named();
  $("start").hidden = Boolean(current);
  $("task").hidden = !current;
  problem(null);
  try {
    if (current) await task.open(current, leaving.signal);
    else await latest(0);
  } catch (error) {
    problem(error);
  }
}

$("key").value = key.get();
$("key-form").addEventListener("submit", (event) => event.preventDefault());
$("key").addEventListener("change", () => {
  key.set($("key").value.trim());
  route();
});
$("submit").addEventListener("submit", submit);
$("more").addEventListener("click", () => latest(shown).catch(problem));
for (const what of ["pause", "resume", "cancel"]) {
  $(what).addEventListener("click", () => task.steer(current, what)());
}
window.addEventListener("hashchange", route);
route();
