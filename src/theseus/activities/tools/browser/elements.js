// What of a document can be clicked, typed into or chosen, and the text that can be seen. Runs in the page.
//
// `registry` belongs to one document: an element keeps its number as long as the document lives.
([registry, first, most]) => {
  const ROLES = ["button", "link", "checkbox", "radio", "tab", "menuitem", "menuitemcheckbox", "menuitemradio", "option",
    "switch", "combobox", "textbox", "searchbox", "slider", "spinbutton", "treeitem"];
  const STRONG = ["a[href]", "button", "input:not([type=hidden])", "select", "textarea", "summary",
    "[contenteditable='']", "[contenteditable=true]", ...ROLES.map((role) => `[role=${role}]`)].join(",");
  const WEAK = "[onclick],[tabindex]:not([tabindex='-1'])";
  const SECRET = /password|one-time-code|cc-number|cc-csc/;
  const shadows = [];
  const found = [];
  let looked = 0;

  const words = (text, length) => {
    const plain = (text || "").replace(/\s+/g, " ").trim();
    return plain.length > length ? plain.slice(0, length - 1) + "…" : plain;
  };
  const seen = (element) => {
    if (!element.checkVisibility({ visibilityProperty: true, opacityProperty: false })) return false;
    const box = element.getBoundingClientRect();
    return box.width > 0 && box.height > 0;
  };
  const label = (element) => (element.labels && [...element.labels].find(seen)) || null;
  const labelled = (element) => {
    const own = label(element)?.cloneNode(true);
    // a label may be around its field
    own?.querySelectorAll("input,select,textarea,button").forEach((field) => field.remove());
    return own?.textContent || "";
  };
  const walk = (root) => {
    for (const element of root.querySelectorAll("*")) {
      looked += 1;
      if (looked > 20000 || found.length >= most) return;
      if (element.matches(STRONG)) {
        if (seen(element) || label(element)) found.push(element);
      } else if (element.matches(WEAK) && seen(element) && !element.closest(STRONG) && !element.querySelector(STRONG)) {
        found.push(element);
      }
      if (element.shadowRoot) {
        shadows.push(element.shadowRoot);
        walk(element.shadowRoot);
      }
    }
  };
  const named = (element) => {
    const by = (element.getAttribute("aria-labelledby") || "").split(/\s+/).filter(Boolean)
      .map((id) => element.getRootNode().getElementById?.(id)?.textContent || "").join(" ");
    const image = element.querySelector("img[alt],svg title");
    const isButton = element.matches("input[type=submit],input[type=button],input[type=reset]");
    return [element.getAttribute("aria-label"), by, labelled(element), element.getAttribute("placeholder"),
      isButton ? element.value || element.type : "", element.matches("input,select,textarea") ? "" : element.innerText,
      element.getAttribute("alt"), image?.getAttribute("alt") || image?.textContent, element.getAttribute("title"),
      element.getAttribute("name")].map((text) => words(text, 80)).find(Boolean) || "";
  };
  const kind = (element) => {
    const role = element.getAttribute("role");
    if (role && ROLES.includes(role)) return role;
    if (element.matches("a")) return "link";
    if (element.matches("select")) return "list";
    if (element.matches("textarea") || element.isContentEditable) return "textbox";
    if (!element.matches("input")) return "button";
    const type = element.type;
    if (["submit", "button", "reset", "image"].includes(type)) return "button";
    return ["checkbox", "radio", "file", "password"].includes(type) ? type : "textbox";
  };
  const isSecret = (element) => {
    if (element.matches("input") && (element.type === "password" || SECRET.test(element.autocomplete || "")))
      registry.secret.add(element);
    return registry.secret.has(element);
  };
  const value = (element) => {
    if (isSecret(element)) return element.value ? "(hidden)" : "";
    if (element.matches("select")) return words([...element.selectedOptions].map((o) => o.text).join(", "), 80);
    if (element.matches("input[type=checkbox],input[type=radio],input[type=submit],input[type=button]")) return "";
    if (element.matches("input,textarea")) return words(element.value, 80);
    return "";
  };
  const to = (element) => {
    if (!element.matches("a[href]") || !/^https?:/.test(element.href)) return "";
    const url = new URL(element.href);
    return words(url.origin === location.origin ? url.pathname + url.search + url.hash : url.href, 120);
  };
  const told = (element) => {
    if (!registry.numbers.has(element)) {
      registry.numbers.set(element, first);
      registry.elements.set(first, new WeakRef(element));
      first += 1;
    }
    const states = [];
    if (element.checked || element.getAttribute("aria-checked") === "true") states.push("checked");
    if (element.disabled || element.getAttribute("aria-disabled") === "true") states.push("disabled");
    if (element.getAttribute("aria-expanded") === "true") states.push("open");
    if (element.getAttribute("aria-selected") === "true") states.push("selected");
    const options = element.matches("select") ? [...element.options] : [];
    return {
      number: registry.numbers.get(element), kind: kind(element), name: named(element), value: value(element),
      to: to(element), states, options: options.slice(0, 20).map((o) => words(o.text, 40)),
      more: Math.max(0, options.length - 20),
    };
  };

  walk(document);
  const elements = found.map(told);
  const parts = [document.body?.innerText || ""];
  for (const shadow of shadows)
    for (const child of shadow.children)
      if (!child.matches("style,script")) parts.push(child.innerText || "");
  const text = parts.filter((part) => part.trim()).join("\n").replace(/[ \t]+\n/g, "\n").replace(/\n{3,}/g, "\n\n").trim();
  return { elements, next: first, text: text.slice(0, 400000), title: document.title.slice(0, 300) };
}
