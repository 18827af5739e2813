// SPDX-FileCopyrightText: 2026 the phpops.webhost authors
// SPDX-License-Identifier: GPL-3.0-or-later
"use strict";
(() => {
  const byId = (id) => document.getElementById(id);
  const body = document.querySelector("#fleet tbody");
  const details = byId("details");
  const rows = [...body.rows].map((row) => ({
    row,
    section: byId(row.dataset.id),
    state: row.dataset.state,
    codes: row.dataset.codes.split(" "),
    text: (row.cells[0].textContent + " " + row.cells[2].textContent + " " + row.dataset.codes).toLowerCase(),
    values: [...row.cells].map((cell) => cell.dataset.value),
  }));

  // Sorting: what is not known stands last, whichever way.
  const heads = [...document.querySelectorAll("#fleet thead th")];
  const words = new Intl.Collator("en", { numeric: true });
  function sort(column, descending) {
    const numeric = heads[column].dataset.kind === "number";
    const way = descending ? -1 : 1;
    rows.sort((one, other) => {
      const [a, b] = [one.values[column], other.values[column]];
      if (a === "" || b === "") return (a === "") - (b === "");
      return way * (numeric ? Number(a) - Number(b) : words.compare(a, b));
    });
    body.append(...rows.map((item) => item.row));
    details.append(...rows.map((item) => item.section));
    heads.forEach((head, index) => {
      if (index === column) head.setAttribute("aria-sort", descending ? "descending" : "ascending");
      else head.removeAttribute("aria-sort");
    });
  }
  heads.forEach((head, column) => {
    head.querySelector("button").addEventListener("click", () => {
      const now = head.getAttribute("aria-sort");
      // Large numbers are what people look for first; severity and names start at the top of their order.
      sort(column, now ? now === "ascending" : column > 2);
    });
  });

  // Filtering.
  const form = byId("filters");
  function filter() {
    const wanted = byId("find").value.toLowerCase().split(/\s+/).filter(Boolean);
    const problem = byId("problem").value;
    const states = new Set([...form.querySelectorAll("[name=state]:checked")].map((box) => box.value));
    let count = 0;
    for (const item of rows) {
      const fits = states.has(item.state) && (!problem || item.codes.includes(problem))
        && wanted.every((word) => item.text.includes(word));
      item.row.hidden = item.section.hidden = !fits;
      count += fits;
    }
    byId("shown").textContent = `${count} of ${rows.length} ${rows.length === 1 ? "host" : "hosts"}`;
    byId("none").hidden = count > 0;
  }
  form.addEventListener("input", filter);
  form.addEventListener("submit", (event) => event.preventDefault());
  // The fields have their first values again only after this event.
  form.addEventListener("reset", () => setTimeout(filter));
  document.querySelectorAll("[data-problem]").forEach((button) => button.addEventListener("click", () => {
    byId("problem").value = button.dataset.problem;
    filter();
    byId("hosts").scrollIntoView();
  }));

  // Details: a link to a host opens it.
  function openTarget() {
    const target = location.hash.startsWith("#host-") && byId(location.hash.slice(1));
    if (!target) return;
    target.hidden = false;
    target.open = true;
    target.scrollIntoView();
    target.querySelector("summary").focus({ preventScroll: true });
  }
  window.addEventListener("hashchange", openTarget);
  body.addEventListener("click", (event) => {
    // A second click on the same link changes no hash.
    if (event.target.closest("a")) setTimeout(openTarget);
  });
  byId("open").addEventListener("click", () => rows.forEach((item) => { item.section.open = !item.section.hidden; }));
  byId("close").addEventListener("click", () => rows.forEach((item) => { item.section.open = false; }));

  // Commands.
  details.addEventListener("click", async (event) => {
    const button = event.target.closest(".copy");
    if (!button) return;
    const code = button.parentElement.querySelector("code");
    try {
      await navigator.clipboard.writeText(code.textContent);
      button.textContent = "Copied";
    } catch {
      // A file opened from disk may have no clipboard: mark the text for Ctrl+C.
      getSelection().selectAllChildren(code);
      button.textContent = "Press Ctrl+C";
    }
  });

  // Colours.
  const theme = byId("theme");
  const system = matchMedia("(prefers-color-scheme: dark)");
  const isDark = () => (document.documentElement.dataset.theme || (system.matches ? "dark" : "light")) === "dark";
  const tell = () => theme.setAttribute("aria-pressed", String(isDark()));
  theme.addEventListener("click", () => {
    document.documentElement.dataset.theme = isDark() ? "light" : "dark";
    tell();
  });
  system.addEventListener("change", tell);
  tell();
  openTarget();
})();
