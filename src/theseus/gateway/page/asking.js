// What waits for a person: approvals, each a card of its own, and the review of a research plan.

import { get, post } from "./api.js";
import { $, button, element, problem } from "./show.js";

const REVIEW = "review";
const cards = new Map();
let made = 0;
let reviews = 0;

export function close() {
  cards.clear();
  reviews += 1;
  show();
}

export function approval(taskId, event) {
  const id = event.payload?.approval_id;
  if (!id) return;
  const box = card("Approve this?", proposed(event.payload?.action ?? event.message), event.message);
  const words = feedback(box, "Why (optional)");
  const decide = (approved) => acting(id, () =>
    post("api/v1/approvals/decision", { workflow_id: taskId, approval_id: id, approved, feedback: words.value }));
  box.append(row(button("Approve", decide(true), "main"), button("Deny", decide(false), "danger")));
  put(id, box);
}

export function decided(event) {
  drop(event.payload?.approval_id);
}

export function reviewed() {
  reviews += 1;
  drop(REVIEW);
}

// The plan as it is now: events are told again to who comes back, also those of plans that were reviewed since.
export async function review(taskId) {
  const path = `api/v1/tasks/${encodeURIComponent(taskId)}/review`;
  const turn = ++reviews;
  let state;
  try {
    state = await get(path);
  } catch (error) {
    problem(error);
    return;
  }
  if (turn !== reviews || state.status !== "reviewing") return;
  const until = state.deadline && `Without an answer by ${new Date(state.deadline).toLocaleString()} the task is closed.`;
  const box = card(`Review the research plan (version ${state.version})`, researched(state), until);
  const words = feedback(box, "What should be different");
  const send = (action) => acting(REVIEW, () =>
    post(path, { action, message: words.value }, { "If-Match": String(state.version) }));
  box.append(row(
    button("Approve", send("approve"), "main"),
    button("Plan again", send("feedback")),
    button("Reject", send("reject"), "danger"),
  ));
  put(REVIEW, box);
}

// The arguments of a tool come as the text that the model wrote; where that is JSON, it is shown as such.
function proposed(action) {
  try {
    return JSON.stringify({ ...action, arguments: JSON.parse(action.arguments) }, null, 2);
  } catch {
    return JSON.stringify(action, null, 2);
  }
}

function researched(state) {
  if (!state.plan?.questions) return state.current_plan;
  return [state.plan.idea, ...state.plan.questions.flatMap((one, n) => [
    `${n + 1}. ${one.question}`, ...(one.facets ?? []).map(facet),
  ])].filter(Boolean).join("\n");
}

function facet(one) {
  const from = one.domains > 1 ? `, from ${one.domains} independent websites` : "";
  return `    - ${one.text}${one.must === false ? " (nice to have)" : ""}${from}`;
}

function acting(id, act) {
  return async (event) => {
    event.target.disabled = true;
    try {
      await act();
      problem(null);
      drop(id);
    } catch (error) {
      problem(error);
      event.target.disabled = false;
    }
  };
}

function put(id, box) {
  cards.set(id, box);
  show();
}

function drop(id) {
  if (cards.delete(id)) show();
}

// Cards that stay are not touched: what is typed into one outlives what becomes of another.
function show() {
  const wanted = [...cards.values()];
  for (const shown of [...$("ask").children]) if (!wanted.includes(shown)) shown.remove();
  for (const box of wanted) if (!box.isConnected) $("ask").append(box);
}

function card(title, text, why = "") {
  const box = element("div", "", "card");
  box.append(element("h3", title));
  if (why) box.append(element("p", why));
  box.append(element("pre", text));
  return box;
}

function feedback(box, label) {
  const name = element("label", label);
  const field = element("textarea");
  Object.assign(field, { id: `feedback-${++made}`, rows: 2, maxLength: 10000 });
  name.htmlFor = field.id;
  box.append(name, field);
  return field;
}

function row(...parts) {
  const line = element("p", "", "row buttons");
  line.append(...parts);
  return line;
}
