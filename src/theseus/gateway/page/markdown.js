// An answer as a person reads it: headings, lists, tables, code, links. Made of elements alone: no HTML of a text is read.

import { element } from "./show.js";

const FENCE = /^ {0,3}(```|~~~)/;
const HEADING = /^ {0,3}(#{1,6})\s+(.*?)\s*#*$/;
const RULE = /^ {0,3}([-*_])( *\1){2,}\s*$/;
const ITEM = /^( *)([-*+]|(\d{1,9})[.)])\s+(.*)$/;
const QUOTE = /^ {0,3}> ?(.*)$/;
const CELLS = /^\s*\|.*\|\s*$/;
const DASHES = /^\s*\|[\s:|-]+\|\s*$/;
const INLINE = /(`+)(.+?)\1|\*\*(.+?)\*\*|__(.+?)__|\*([^*\s][^*]*)\*|\b_([^_\s][^_]*)_\b|!?\[([^\]]*)\]\(([^)\s]+)[^)]*\)|<(https?:[^>\s]+)>|(https?:\/\/[^\s<>)\]]+)/g;

export function markdown(text) {
  const made = document.createDocumentFragment();
  blocks(made, text.split(/\r\n?|\n/));
  return made;
}

function blocks(place, lines) {
  for (let at = 0; at < lines.length;) {
    at = [fence, heading, rule, quote, table, list, paragraph].reduce((next, block) => next ?? block(place, lines, at), null);
  }
}

// Each of these adds one block and says where the next one begins; null where there is no such block.

function fence(place, lines, at) {
  const mark = lines[at].match(FENCE)?.[1];
  if (!mark) return null;
  let end = at + 1;
  while (end < lines.length && !lines[end].trimStart().startsWith(mark)) end += 1;
  place.append(element("pre", lines.slice(at + 1, end).join("\n")));
  return end + 1;
}

function heading(place, lines, at) {
  const [, marks, words] = lines[at].match(HEADING) ?? [];
  if (!marks) return null;
  // the page has headings of three levels of its own above these
  place.append(inline(element(`h${Math.min(marks.length + 3, 6)}`), words));
  return at + 1;
}

function rule(place, lines, at) {
  if (!RULE.test(lines[at])) return null;
  place.append(element("hr"));
  return at + 1;
}

function quote(place, lines, at) {
  const said = until(lines, at, (line) => QUOTE.test(line));
  if (!said.length) return null;
  const block = element("blockquote");
  blocks(block, said.map((line) => line.match(QUOTE)[1]));
  place.append(block);
  return at + said.length;
}

function table(place, lines, at) {
  if (!CELLS.test(lines[at]) || !DASHES.test(lines[at + 1] ?? "")) return null;
  const rows = until(lines, at, (line) => CELLS.test(line));
  const made = element("table");
  rows.filter((_, row) => row !== 1).forEach((row, number) => {
    const line = element("tr");
    for (const cell of row.trim().slice(1, -1).split("|")) line.append(inline(element(number ? "td" : "th"), cell.trim()));
    made.append(line);
  });
  place.append(made);
  return at + rows.length;
}

function list(place, lines, at) {
  const first = lines[at].match(ITEM);
  if (!first) return null;
  const [, indent, , number] = first;
  const made = element(number ? "ol" : "ul");
  if (number) made.start = Number(number);
  let next = at;
  while (next < lines.length) {
    const item = lines[next].match(ITEM);
    if (!item || item[1].length !== indent.length || Boolean(item[3]) !== Boolean(number)) break;
    // what is indented further belongs to the item
    const inner = until(lines, next + 1, (line) => !line.trim() || line.search(/\S/) > indent.length);
    while (inner.length && !inner.at(-1).trim()) inner.pop();
    const entry = inline(element("li"), item[4]);
    blocks(entry, inner.map((line) => line.slice(Math.min(line.search(/\S|$/), indent.length + 2))));
    made.append(entry);
    next += 1 + inner.length;
    while (next < lines.length && !lines[next].trim() && ITEM.test(lines[next + 1] ?? "")) next += 1;
  }
  place.append(made);
  return next;
}

function paragraph(place, lines, at) {
  if (!lines[at].trim()) return at + 1;
  const others = [FENCE, HEADING, RULE, QUOTE, ITEM];
  const rest = until(lines, at + 1, (line) => line.trim() && !others.some((other) => other.test(line)));
  place.append(inline(element("p"), [lines[at], ...rest].join("\n")));
  return at + 1 + rest.length;
}

function until(lines, from, fits) {
  const end = lines.findIndex((line, at) => at >= from && !fits(line));
  return lines.slice(from, end < 0 ? lines.length : end);
}

function inline(place, text) {
  let at = 0;
  for (const found of text.matchAll(INLINE)) {
    place.append(text.slice(at, found.index));
    const [all, , code, bold, strong, slanted, tilted, words, target, bracketed, bare] = found;
    const address = target ?? bracketed ?? bare;
    if (code !== undefined) place.append(element("code", code));
    else if (bold ?? strong) place.append(inline(element("strong"), bold ?? strong));
    else if (slanted ?? tilted) place.append(inline(element("em"), slanted ?? tilted));
    else if (/^https?:\/\//i.test(address)) place.append(link(words || address, address));
    else place.append(all);
    at = found.index + all.length;
  }
  place.append(text.slice(at));
  return place;
}

function link(words, address) {
  const made = element("a", words);
  made.href = address;
  made.target = "_blank";
  made.rel = "noopener noreferrer nofollow";
  return made;
}
