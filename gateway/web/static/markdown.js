// Markdown as elements, for texts that nobody vouches for.
//
// Everything is made by `h` from text, so nothing of a text can become markup: HTML is shown as it is written, links and
// images are shown in words and lead nowhere. Written by hand so that its cost is bounded: every rule looks at a line a
// fixed number of times, whatever is in it; what is nested too deeply or too long is shown as it is written.

import { h } from "./dom.js";

const DEPTH = 8; // of lists and quotes
const ELEMENTS = 20_000; // of one text
const OPEN = 32; // emphases that wait for their end
const COLUMNS = 40;
const RULE_CHARS = 200;

const SPECIAL = /[`*_~\\![]/g;
const ESCAPED = "*_`#~|";
const LINK = /!?\[([^[\]\n]{0,500})\]\(((?:[^()\s]|\([^()\s]*\)){0,2000})\)/y;
const WORD = /[\p{L}\p{N}]/u;
const OVERRIDES = /[\u202a-\u202e]/g; // they could show a text in another order than it has

/** The text with what would reorder it made visible. */
export const visible = (text) =>
  text.replace(OVERRIDES, (sign) => `[U+${sign.codePointAt(0).toString(16).toUpperCase()}]`);

/** Elements that show this text. */
export const markdown = (text) => new Reader().blocks(visible(text).split(/\r\n|\r|\n/), 0);

const blank = (line) => line.trim() === "";
const fenceOf = (line) => /^ *(`{3,}|~{3,})([^`]*)$/s.exec(line);
const headingOf = (line) => /^ {0,3}(#{1,6})[ \t]+(.*)$/s.exec(line);
const quoted = (line) => /^ {0,3}>/.test(line);

function isRule(line) {
  return line.length <= RULE_CHARS && /^(---+|\*\*\*+|___+)$/.test(line.replace(/[ \t]/g, ""));
}

function indent(line) {
  let at = 0;
  while (line[at] === " " || line[at] === "\t") at += 1;
  return at;
}

/** { indent, content, ordered, start } of a line that begins an item, or null. */
function markerOf(line) {
  const found = /^([ \t]*)([-*+]|(\d{1,9})[.)])(?:[ \t]|$)/.exec(line);
  if (!found || isRule(line)) return null;
  const [whole, before, , number] = found;
  return { indent: before.length, content: whole.length, ordered: number !== undefined, start: Number(number ?? 1) };
}

/** Whether a paragraph ends before this line. */
function begins(line) {
  const marker = markerOf(line);
  return fenceOf(line) !== null || headingOf(line) !== null || quoted(line) || isRule(line)
    || (marker !== null && marker.start === 1 && !blank(line.slice(marker.content)));
}

/** Cells between unescaped bars. */
function cellsOf(line) {
  const cells = [""];
  for (let at = 0; at < line.length; at += 1) {
    if (line[at] === "\\" && line[at + 1] === "|") cells[cells.length - 1] += line[(at += 1)];
    else if (line[at] === "|") cells.push("");
    else cells[cells.length - 1] += line[at];
  }
  if (blank(cells[0])) cells.shift();
  if (cells.length && blank(cells.at(-1))) cells.pop();
  return cells.map((cell) => cell.trim());
}

class Reader {
  constructor() {
    this.made = 0;
  }

  get full() {
    return this.made > ELEMENTS;
  }

  make(tag, attributes, ...children) {
    this.made += 1;
    return h(tag, attributes, ...children);
  }

  blocks(lines, depth) {
    const found = [];
    let at = 0;
    while (at < lines.length) {
      if (blank(lines[at])) {
        at += 1;
        continue;
      }
      if (depth > DEPTH || this.full) {
        found.push(this.make("p", {}, lines.slice(at).join("\n")));
        break;
      }
      const [element, next] = this.fence(lines, at) ?? this.heading(lines, at) ?? this.rule(lines, at)
        ?? this.quote(lines, at, depth) ?? this.list(lines, at, depth) ?? this.table(lines, at)
        ?? this.paragraph(lines, at);
      found.push(element);
      at = next;
    }
    return found;
  }

  fence(lines, at) {
    const found = fenceOf(lines[at]);
    if (!found) return null;
    const mark = found[1];
    const ends = (line) => {
      const bare = line.trim();
      return bare.length >= mark.length && bare === mark[0].repeat(bare.length);
    };
    let end = at + 1;
    while (end < lines.length && !ends(lines[end])) end += 1;
    const spare = indent(lines[at]);
    const code = lines.slice(at + 1, end).map((line) => line.slice(Math.min(spare, indent(line)))).join("\n");
    return [this.make("pre", {}, this.make("code", {}, code)), end + 1];
  }

  heading(lines, at) {
    const found = headingOf(lines[at]);
    if (!found) return null;
    const level = Math.min(6, found[1].length + 2); // below the headings of the page
    return [this.make(`h${level}`, {}, this.inline(found[2])), at + 1];
  }

  rule(lines, at) {
    return isRule(lines[at]) ? [this.make("hr", {}), at + 1] : null;
  }

  quote(lines, at, depth) {
    if (!quoted(lines[at])) return null;
    let end = at;
    while (end < lines.length && quoted(lines[end])) end += 1;
    const inner = lines.slice(at, end).map((line) => line.replace(/^ {0,3}> ?/, ""));
    return [this.make("blockquote", {}, this.blocks(inner, depth + 1)), end];
  }

  list(lines, at, depth) {
    const first = markerOf(lines[at]);
    if (!first) return null;
    const items = [];
    let next = at;
    for (let marker = first; marker && marker.ordered === first.ordered && !this.full; ) {
      const [inner, end] = itemOf(lines, next, marker);
      items.push(this.make("li", {}, this.blocks(inner, depth + 1)));
      next = end;
      marker = next < lines.length ? markerOf(lines[next]) : null;
    }
    const start = first.ordered && first.start !== 1 ? first.start : null;
    return [this.make(first.ordered ? "ol" : "ul", { start }, items), next];
  }

  table(lines, at) {
    const under = lines[at + 1];
    if (under === undefined || !lines[at].includes("|") || !/^[ \t|:-]+$/.test(under) || !under.includes("-")) return null;
    const heads = cellsOf(lines[at]);
    if (heads.length > COLUMNS || heads.length !== cellsOf(under).length) return null;
    const rows = [];
    let next = at + 2;
    for (; next < lines.length && lines[next].includes("|") && !this.full; next += 1) {
      const cells = cellsOf(lines[next]);
      rows.push(this.make("tr", {}, heads.map((_, column) => this.make("td", {}, this.inline(cells[column] ?? "")))));
    }
    const head = this.make("tr", {}, heads.map((cell) => this.make("th", { scope: "col" }, this.inline(cell))));
    return [this.make("table", {}, this.make("thead", {}, head), this.make("tbody", {}, rows)), next];
  }

  paragraph(lines, at) {
    let end = at + 1;
    while (end < lines.length && !blank(lines[end]) && !begins(lines[end])) end += 1;
    return [this.make("p", {}, this.inline(lines.slice(at, end).join("\n"))), end];
  }

  /** What stands in a line: texts and elements. */
  inline(text) {
    return new Line(this, text).read();
  }
}

/** The lines of one item without what sets them in, and where the next thing begins. */
function itemOf(lines, at, marker) {
  const inner = [lines[at].slice(marker.content)];
  let apart = false; // a blank line came before
  let end = at + 1;
  for (; end < lines.length; end += 1) {
    const line = lines[end];
    if (!blank(line)) {
      const deep = indent(line);
      const nested = deep >= marker.content || (deep > marker.indent + 1 && markerOf(line) !== null);
      if (!nested && (apart || begins(line) || markerOf(line) !== null)) break;
      inner.push(line.slice(Math.min(deep, marker.content)));
    } else {
      inner.push("");
    }
    apart = blank(line);
  }
  return [inner, end];
}

/** One run of text: code, emphasis, links and images. */
class Line {
  constructor(reader, text) {
    this.reader = reader;
    this.text = text;
    this.found = [];
    this.open = []; // { sign, length, at }: `found[at]` is the mark as text, until its end is found
    this.mark = -1; // where in `found` the last mark is
    this.ticks = null; // length of a run of backticks -> where such runs begin, in order
  }

  read() {
    let at = 0;
    while (at < this.text.length) {
      SPECIAL.lastIndex = at;
      const special = this.reader.full ? null : SPECIAL.exec(this.text);
      const until = special ? special.index : this.text.length;
      if (until > at) this.plain(at, until);
      if (!special) break;
      at = this.special(special[0], until);
    }
    return this.found;
  }

  /** Take what begins with this sign here; where it ends. */
  special(sign, at) {
    if (sign === "`") return this.code(at);
    if (sign === "\\") return this.escape(at);
    if (sign === "[" || sign === "!") return this.link(at);
    return this.emphasis(sign, at);
  }

  /** Take this as it is written, together with what came so before. */
  plain(from, to) {
    const last = this.found.length - 1;
    if (typeof this.found[last] === "string" && last !== this.mark) this.found[last] += this.text.slice(from, to);
    else this.found.push(this.text.slice(from, to));
    return to;
  }

  escape(at) {
    return ESCAPED.includes(this.text[at + 1] ?? " ") ? this.plain(at + 1, at + 2) : this.plain(at, at + 1);
  }

  code(at) {
    this.ticks ??= ticksOf(this.text);
    const length = run(this.text, at, "`");
    const from = at + length;
    const places = this.ticks.get(length);
    while (places.length && places.at(-1) < from) places.pop();
    const end = places.at(-1);
    if (end === undefined) return this.plain(at, from);
    const code = this.text.slice(from, end);
    const padded = code.length > 2 && code.startsWith(" ") && code.endsWith(" ");
    this.found.push(this.reader.make("code", {}, padded ? code.slice(1, -1) : code));
    return end + length;
  }

  link(at) {
    LINK.lastIndex = at;
    const found = LINK.exec(this.text);
    if (!found) return this.plain(at, at + 1);
    const [whole, label, url] = found;
    const words = whole.startsWith("!") ? [`[image: ${label}]`] : this.reader.inline(label);
    const address = this.reader.make("span", { class: "url" }, `(${url})`);
    this.found.push(this.reader.make("span", { class: "link" }, words, " ", address));
    return at + whole.length;
  }

  emphasis(sign, at) {
    let length = run(this.text, at, sign);
    const end = at + length;
    const before = this.text[at - 1] ?? " ";
    const after = this.text[end] ?? " ";
    const inWord = WORD.test(before) && WORD.test(after) && (sign === "_" || length === 1);
    if (inWord || (sign === "~" && length !== 2)) return this.plain(at, end);
    while (length > 0 && !blank(before)) {
      const which = this.open.findLastIndex((one) => one.sign === sign && one.length <= length);
      if (which < 0) break;
      length -= this.open[which].length;
      this.close(which);
    }
    if (length === 0) return end;
    if (blank(after) || length > 3 || this.open.length === OPEN) return this.plain(end - length, end);
    this.mark = this.found.push(sign.repeat(length)) - 1;
    this.open.push({ sign, length, at: this.mark });
    return end;
  }

  close(which) {
    const { sign, length, at } = this.open[which];
    this.open.length = which;
    const [, ...inner] = this.found.splice(at);
    const tag = sign === "~" ? "del" : length === 1 ? "em" : "strong";
    const element = this.reader.make(tag, {}, inner);
    this.found.push(length === 3 ? this.reader.make("em", {}, element) : element);
  }
}

function run(text, at, sign) {
  let end = at;
  while (text[end] === sign) end += 1;
  return end - at;
}

/** Runs of backticks by their length, the last first. */
function ticksOf(text) {
  const found = new Map();
  for (const { 0: ticks, index } of text.matchAll(/`+/g)) {
    if (!found.has(ticks.length)) found.set(ticks.length, []);
    found.get(ticks.length).push(index);
  }
  for (const places of found.values()) places.reverse();
  return found;
}
