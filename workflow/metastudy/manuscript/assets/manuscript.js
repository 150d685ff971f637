// What a table can do on the page: draw its estimates as a forest, sort, show the rows of one country
// or sector, and say what a cell means where the head of its column is out of sight. The page is
// complete without it.
"use strict";
(() => {
  const text = node => node.textContent.replace(/\s+/g, " ").trim();
  const make = (tag, attributes = {}, words = "") =>
    Object.assign(Object.assign(document.createElement(tag), attributes), { textContent: words });

  // ---- reading a table
  const isHeading = row => row.cells[0]?.querySelector("strong") !== null
    && [...row.cells].every((cell, i) => (i === 0) === (text(cell) !== ""));

  // The rows with what they carry on: cells left empty at their start are those of the row above.
  function readRows(table) {
    let group = "", above = [];
    return [...table.tBodies].flatMap(body => [...body.rows]).map((row, at) => {
      if (isHeading(row)) {
        group = text(row.cells[0]);
        above = [];
        return { row, at, group, heading: true, values: [] };
      }
      const values = [...row.cells].map(text), first = values.findIndex(value => value !== "");
      for (let i = 0; i < first; i++) values[i] = above[i] ?? "";
      above = values;
      return { row, at, group, heading: false, values, carried: Math.max(first, 0) };
    });
  }

  // ---- sorting
  const number = value => {
    const found = value.replace(/\u2212/g, "-").replace(/[,\u00a0\u202f](?=\d{3})/g, "").match(/-?\d*\.?\d+/);
    return found ? Number(found[0]) : NaN;
  };
  const starts = value => /^[<>≈]?\s*[-\u2212]?\d/.test(value);

  function order(rows, column, sign) {
    const given = rows.filter(one => !one.heading).map(one => one.values[column]);
    const numeric = given.filter(starts).length > given.length / 2;
    const key = one => numeric ? number(one.values[column]) : one.values[column];
    const missing = one => numeric ? Number.isNaN(key(one)) : !/[\p{L}\d]/u.test(key(one));
    return (a, b) => missing(a) - missing(b) || a.heading - b.heading
      || (missing(a) ? 0 : sign * (numeric ? key(a) - key(b) : key(a).localeCompare(key(b))))
      || a.at - b.at;
  }

  function arrange(table, rows, column, sign) {
    const groups = [];
    for (const one of rows) {
      if (one.heading || !groups.length) groups.push([]);
      groups.at(-1).push(one);
    }
    for (const group of groups) {
      const head = group.filter(one => one.heading), rest = group.filter(one => !one.heading);
      if (sign) rest.sort(order(rows, column, sign));
      for (const { row, values, carried } of [...head, ...rest]) {
        for (let i = 0; i < (carried || 0); i++) row.cells[i].textContent = sign ? values[i] : "";
        table.tBodies[0].append(row);
      }
    }
  }

  function sortable(table, rows) {
    const heads = [...table.tHead.rows[0].cells];
    let column = -1, sign = 0;
    heads.forEach((head, i) => {
      const words = text(head);
      if (!words) return;
      const button = make("button", { type: "button", className: "sort" });
      button.append(...head.childNodes);
      head.append(button);
      button.addEventListener("click", () => {
        sign = column !== i ? 1 : sign === 1 ? -1 : sign === -1 ? 0 : 1;
        column = i;
        heads.forEach(other => other.removeAttribute("aria-sort"));
        if (sign) head.setAttribute("aria-sort", sign > 0 ? "ascending" : "descending");
        arrange(table, rows, i, sign);
      });
    });
  }

  // ---- a column that draws the estimates: a forest that is sorted and filtered with its table
  const bounds = value => {
    const found = value.replace(/\u2212/g, "-").match(/^(-?[\d.]+) to (-?[\d.]+)$/);
    return found && [Number(found[1]), Number(found[2])];
  };

  const UNIT = /\bSD\b|log-odds|ratio|points|per cent|%/i;

  const drawing = (name, attributes) => {
    const node = document.createElementNS("http://www.w3.org/2000/svg", name);
    for (const [key, value] of Object.entries(attributes)) node.setAttribute(key, value);
    return node;
  };

  function forest(table, rows) {
    const heads = [...table.tHead.rows[0].cells], content = rows.filter(one => !one.heading);
    const at = heads.findIndex((_, i) => i > 0
      && content.filter(one => bounds(one.values[i] ?? "")).length > content.length / 2);
    const units = heads.findIndex(head => text(head) === "Unit");
    // numbers in several units, or in one that is not said, have no axis in common
    const said = units < 0 ? UNIT.test(text(heads[at - 1] ?? heads[0]))
      : new Set(content.map(one => one.values[units])).size === 1;
    if (at < 1 || !said) return;
    for (const one of content) {
      const ends = bounds(one.values[at] ?? ""), mean = number(one.values[at - 1] ?? "");
      if (ends && !Number.isNaN(mean)) one.drawn = [ends[0], mean, ends[1]];
    }
    const ends = content.flatMap(one => one.drawn ?? []);
    if (!ends.length) return;
    const signs = new Set(ends.map(Math.sign));
    if (signs.has(-1) || signs.has(0)) ends.push(0);
    const low = Math.min(...ends), width = Math.max(...ends) - low;
    if (!(width > 0)) return;
    const place = value => `${3 + 94 * (value - low) / width}%`;
    const round = value => String(Number(value.toPrecision(2))).replace("-", "\u2212");
    const head = make("th", { className: "forest" }, `Plot, ${round(low)} to ${round(low + width)}`);
    head.dataset.says = text(heads[at - 1]);
    heads[at].after(head);
    table.querySelectorAll("colgroup col")[at]?.after(make("col", { className: "forest" }));
    for (const one of rows) {
      const cell = one.row.insertCell(at + 1);
      cell.className = "forest";
      if (one.heading) continue;
      const said = one.drawn ? `${one.values[at - 1]} (${one.values[at]})` : "\u2013";
      one.values.splice(at + 1, 0, said);
      one.drawnOf = at - 1;
      if (!one.drawn) {
        cell.textContent = said;
        continue;
      }
      const [from, mean, to] = one.drawn.map(place);
      const svg = drawing("svg", { role: "img", "aria-label": said });
      if (ends.includes(0)) svg.append(drawing("line", { x1: place(0), x2: place(0), y1: "0", y2: "100%", class: "zero" }));
      svg.append(drawing("line", { x1: from, x2: to, y1: "50%", y2: "50%" }));
      svg.append(drawing("circle", { cx: mean, cy: "50%", r: "3.5" }));
      cell.append(svg);
    }
  }

  // ---- rows of one country or sector
  const data = document.getElementById("places");
  const places = data ? JSON.parse(data.textContent) : [];
  const KINDS = { Country: "countries", Sector: "sectors" };

  function placesOf(one, kind) {
    const words = [one.group, ...one.values].join(" | ").toLowerCase();
    const holds = name => {
      const at = words.indexOf(name.toLowerCase());
      return at >= 0 && !/[\p{L}\d]/u.test(words.charAt(at + name.length))
        && !/[\p{L}\d]/u.test(words.charAt(at - 1));
    };
    const found = places.flatMap(place => place[kind]).filter(holds);
    const own = places.filter(place => holds(place.study)).flatMap(place => place[kind]);
    return new Set([...found, ...own]);
  }

  function filterable(figure, rows) {
    const content = rows.filter(one => !one.heading), selects = [];
    const bar = make("div", { className: "filters" }), said = make("span", { className: "shown" });
    said.setAttribute("role", "status");
    for (const [label, kind] of Object.entries(KINDS)) {
      for (const one of content) one[kind] = placesOf(one, kind);
      const held = new Set(content.flatMap(one => [...one[kind]]));
      const names = [...new Set(places.flatMap(place => place[kind]))].filter(name => held.has(name));
      if (names.length < 2) continue;
      const select = make("select"), box = make("label", {}, label + " ");
      select.append(make("option", { value: "" }, "all"), ...names.map(name => make("option", { value: name }, name)));
      box.append(select);
      bar.append(box);
      selects.push([select, kind]);
      select.addEventListener("change", apply);
    }
    if (!selects.length) return;
    function apply() {
      const fits = one => selects.every(([select, kind]) => !select.value || one[kind].has(select.value));
      let shown = 0;
      for (const one of content) shown += !(one.row.hidden = !fits(one));
      for (const one of rows.filter(each => each.heading)) {
        one.row.hidden = !content.some(other => other.group === one.group && !other.row.hidden);
      }
      // a row that carries on from one that is hidden shows what it carries
      const some = shown < content.length;
      if (!figure.querySelector("[aria-sort]")) {
        for (const { row, values, carried } of content) {
          for (let i = 0; i < (carried || 0); i++) row.cells[i].textContent = some ? values[i] : "";
        }
      }
      said.textContent = some ? `${shown} of ${content.length} rows` : "";
    }
    bar.append(said);
    figure.querySelector(".scroll").before(bar);
  }

  // ---- what a cell means
  const tip = make("div", { id: "tip", hidden: true });
  tip.setAttribute("role", "tooltip");
  document.body.append(tip);
  let shownFor = null;

  function hide() {
    tip.hidden = true;
    shownFor?.removeAttribute("aria-describedby");
    shownFor = null;
  }

  function show(cell, heads, one) {
    const column = cell.cellIndex, value = one.values[column];
    if (!/\d/.test(value) || !heads[column]) return hide();
    hide();
    const before = cell.classList.contains("forest") ? one.drawnOf : column;
    const of = [one.group, ...one.values.slice(0, before).filter(word => /\p{L}/u.test(word))];
    tip.textContent = `${[...new Set(of.filter(Boolean))].join(", ")}${of.some(Boolean) ? ": " : ""}${heads[column]} ${value}`;
    tip.hidden = false;
    cell.setAttribute("aria-describedby", "tip");
    shownFor = cell;
    const place = cell.getBoundingClientRect(), room = document.documentElement.clientWidth;
    const left = Math.max(8, Math.min(place.left, room - tip.offsetWidth - 8));
    const above = place.top - tip.offsetHeight - 6;
    tip.style.left = `${left + scrollX}px`;
    tip.style.top = `${(above > 0 ? above : place.bottom + 6) + scrollY}px`;
  }

  function telling(table, rows) {
    const heads = [...table.tHead.rows[0].cells].map(head => head.dataset.says ?? text(head));
    const known = new Map(rows.map(one => [one.row, one]));
    const cellOf = event => event.target.closest("tbody td");
    const start = rows.find(one => !one.heading)?.row.cells[0];
    if (start) start.tabIndex = 0;
    const tell = event => {
      const cell = cellOf(event), one = cell && known.get(cell.parentNode);
      if (one && !one.heading) show(cell, heads, one);
    };
    table.addEventListener("pointerover", tell);
    table.addEventListener("pointerleave", hide);
    table.addEventListener("focusin", tell);
    table.addEventListener("focusout", hide);
    table.addEventListener("keydown", event => {
      const cell = cellOf(event), step = {
        ArrowLeft: [0, -1], ArrowRight: [0, 1], ArrowUp: [-1, 0], ArrowDown: [1, 0],
      }[event.key];
      if (!cell || !step || event.target !== cell) return;
      const seen = [...table.tBodies[0].rows].filter(row => !row.hidden);
      const row = seen[seen.indexOf(cell.parentNode) + step[0]];
      const next = row?.cells[cell.cellIndex + step[1]];
      event.preventDefault();
      if (!next) return;
      cell.tabIndex = -1;
      next.tabIndex = 0;
      next.focus();
    });
  }
  document.addEventListener("keydown", event => event.key === "Escape" && hide());

  // ---- all tables of the page
  for (const figure of document.querySelectorAll("figure.table")) {
    const table = figure.querySelector("table");
    if (!table?.tHead?.rows.length || !table.tBodies.length) continue;
    const rows = readRows(table);
    if (rows.filter(one => !one.heading).length < 2) continue;
    forest(table, rows);
    sortable(table, rows);
    filterable(figure, rows);
    telling(table, rows);
  }

  // ---- boxes that scroll say so
  const boxes = document.querySelectorAll(".scroll");
  const measure = () => boxes.forEach(box =>
    box.classList.toggle("overflows", box.scrollWidth > box.clientWidth + 1));
  addEventListener("resize", measure);
  measure();
})();
