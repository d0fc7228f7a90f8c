"use strict";
// Light or dark: as the system says, until the reader switches. What is drawn is told, for its colours are its own.
const theme = (() => {
  const root = document.documentElement;
  const system = matchMedia("(prefers-color-scheme: dark)");
  const listeners = [];
  const isDark = () => (root.dataset.theme || (system.matches ? "dark" : "light")) === "dark";
  const tell = () => listeners.forEach((listener) => listener());
  document.getElementById("theme").addEventListener("click", () => {
    root.dataset.theme = isDark() ? "light" : "dark";
    tell();
  });
  system.addEventListener("change", tell);
  // Paper is white, and shows what is folded away.
  let before;
  addEventListener("beforeprint", () => {
    before = root.dataset.theme;
    root.dataset.theme = "light";
    root.dataset.printing = "";  // as wide as paper, so that what is drawn now fits it
    document.querySelectorAll("details").forEach((each) => { each.open = true; });
    tell();
  });
  addEventListener("afterprint", () => {
    delete root.dataset.printing;
    if (before === undefined) delete root.dataset.theme; else root.dataset.theme = before;
    tell();
  });
  const alone = document.getElementById("print-leakage-report");
  if (alone) {
    alone.addEventListener("click", () => {
      root.dataset.only = "leakage-report";
      print();
      delete root.dataset.only;
    });
  }
  return {
    colour: (name) => getComputedStyle(root).getPropertyValue(`--${name}`).trim(),
    whenChanged: (listener) => listeners.push(listener),
  };
})();

// A labelled choice; one that offers a single thing is not shown.
function choice(parent, title, options, chosen, then) {
  const label = document.createElement("label");
  const select = document.createElement("select");
  for (const [value, text] of options) select.append(new Option(text, value, value === chosen, value === chosen));
  label.append(title, select);
  label.hidden = options.length < 2;
  if (label.hidden) label.style.display = "none";
  select.addEventListener("change", () => then(select.value));
  parent.append(label);
  return select;
}
