// What waits for a person: approvals and reviews of a research plan.

import { get, post } from "./api.js";
import { $, button, element, problem } from "./show.js";

function acting(act) {
  return async (event) => {
    event.target.disabled = true;
    try {
      await act();
      problem(null);
      close();
    } catch (error) {
      problem(error);
      event.target.disabled = false;
    }
  };
}

export function close() {
  $("ask").replaceChildren();
  $("ask").hidden = true;
}

export function approval(taskId, event) {
  const id = event.payload?.approval_id;
  if (!id) return;
  const decide = (approved) => acting(() =>
    post("api/v1/approvals/decision", { workflow_id: taskId, approval_id: id, approved, feedback: $("feedback").value }));
  const box = card("Approve this?", JSON.stringify(event.payload?.action ?? event.message, null, 2));
  box.append(feedback("Why (optional)"), row(button("Approve", decide(true), "main"), button("Deny", decide(false), "danger")));
}

export async function review(taskId) {
  const path = `api/v1/tasks/${encodeURIComponent(taskId)}/review`;
  let state;
  try {
    state = await get(path);
  } catch (error) {
    problem(error);
    return;
  }
  const send = (body) => acting(() => post(path, body, { "If-Match": String(state.version) }));
  const plan = state.current_plan;
  const box = card(`Review the research plan (version ${state.version})`, typeof plan === "string" ? plan : JSON.stringify(plan, null, 2));
  const say = (event) => send({ action: "feedback", message: $("feedback").value })(event);
  box.append(feedback("What should be different"), row(
    button("Approve", send({ action: "approve" }), "main"),
    button("Plan again", say),
    button("Reject", send({ action: "reject" }), "danger"),
  ));
}

function card(title, text) {
  close();
  $("ask").append(element("h3", title), element("pre", text));
  $("ask").hidden = false;
  return $("ask");
}

function feedback(label) {
  const box = element("div");
  const name = element("label", label);
  name.htmlFor = "feedback";
  const field = element("textarea");
  Object.assign(field, { id: "feedback", rows: 2, maxLength: 10000 });
  box.append(name, field);
  return box;
}

function row(...parts) {
  const made = element("p", "", "row buttons");
  made.append(...parts);
  return made;
}
