// A table that is updated in place: rows keep their elements, cells change only where their value does.
//
// Roles are given explicitly, since on a phone its rows are laid out as cards and would lose them.

import { arrange, h } from "./dom.js";

export class Table {
  /**
   * columns: [{ label, value(row), draw?(value, row), kind? }]; `kind` is a class of its cells.
   * key(row): what a row is known by. detail(row): what opens below it, made when it opens.
   */
  constructor({ caption, columns, key, empty, detail = null }) {
    this.columns = columns;
    this.key = key;
    this.detail = detail;
    this.rows = new Map();
    this.empty = h("p", { class: "empty" }, empty);
    this.body = h("tbody", { role: "rowgroup" });
    const heads = columns.map((column) =>
      h("th", { scope: "col", role: "columnheader", class: column.kind ?? null, title: column.title ?? null },
        column.head ?? column.label),
    );
    this.table = h("table", { role: "table", class: detail ? "opens" : null },
      h("caption", { class: "unseen" }, caption),
      h("thead", { role: "rowgroup" }, h("tr", { role: "row" }, heads)),
      this.body,
    );
    // It may be wider than its place, and can then be scrolled by keyboard. It always can be reached: whether it is wider
    // changes with every row, and nothing tells of it.
    const region = { class: "table", tabindex: "0", role: "region", "aria-label": caption };
    this.element = h("div", region, this.table, this.empty);
    this.update([]);
  }

  /** groups: [{ title, rows }], a title of null has no line of its own. Plain rows are one group. */
  update(groups) {
    const given = groups.length && groups[0].rows ? groups : [{ title: null, rows: groups }];
    const shown = [];
    const seen = new Set();
    for (const { title, rows } of given) {
      if (title !== null && rows.length) shown.push(this.heading(title));
      for (const row of rows) {
        const held = this.held(row);
        seen.add(this.key(row));
        shown.push(held.line);
        if (held.below) shown.push(held.below);
      }
    }
    for (const key of this.rows.keys()) if (!seen.has(key)) this.rows.delete(key);
    arrange(this.body, shown);
    this.empty.hidden = shown.length > 0;
    this.table.hidden = shown.length === 0;
  }

  heading(title) {
    this.headings ??= new Map();
    if (!this.headings.has(title)) {
      const cell = h("th", { colspan: this.columns.length, scope: "rowgroup", role: "rowheader" }, title);
      this.headings.set(title, h("tr", { class: "group", role: "row" }, cell));
    }
    return this.headings.get(title);
  }

  held(row) {
    const key = this.key(row);
    let held = this.rows.get(key);
    if (!held) {
      held = { cells: [], line: h("tr", { role: "row" }), below: null, row };
      this.columns.forEach((column, at) => held.cells.push(this.cell(column, at)));
      held.line.append(...held.cells.map((cell) => cell.element));
      if (this.detail) held.line.addEventListener("click", (event) => this.clicked(held, event));
      this.rows.set(key, held);
    }
    held.row = row;
    this.columns.forEach((column, at) => this.fill(held, column, at));
    return held;
  }

  cell(column, at) {
    const attributes = { class: column.kind ?? null, "data-label": column.label };
    const element = at === 0
      ? h("th", { scope: "row", role: "rowheader", ...attributes })
      : h("td", { role: "cell", ...attributes });
    return { element, signature: null };
  }

  fill(held, column, at) {
    const cell = held.cells[at];
    const value = column.value(held.row);
    const signature = JSON.stringify(value);
    if (cell.signature === signature) return;
    cell.signature = signature;
    cell.element.toggleAttribute("data-empty", value === null); // left out of a card
    const content = column.draw ? column.draw(value, held.row) : String(value);
    if (at === 0 && this.detail) {
      held.toggle = h("button", { type: "button", class: "toggle", "aria-expanded": String(held.below !== null) }, content);
      cell.element.replaceChildren(held.toggle);
    } else {
      cell.element.replaceChildren(content);
    }
  }

  clicked(held, event) {
    if (event.target.closest("a, input, select") || String(window.getSelection())) return;
    this.toggle(held);
  }

  toggle(held) {
    if (held.below) {
      held.below.remove();
      held.below = null;
    } else {
      const cell = h("td", { colspan: this.columns.length, role: "cell" }, this.detail(held.row));
      held.below = h("tr", { class: "below", role: "row" }, cell);
      held.line.after(held.below);
    }
    held.line.classList.toggle("open", held.below !== null);
    held.toggle.setAttribute("aria-expanded", String(held.below !== null));
  }
}
